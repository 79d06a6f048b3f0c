// The microphone as blocks of float samples at the sound card's own rate; the server resamples.

const PLAIN = {
  NotAllowedError: "The microphone was refused. Allow it for this page: the icon left of the address opens the page’s " +
    "permissions; the system’s privacy settings may refuse it for the whole browser. Then press the button again, or " +
    "open a recording instead.",
  NotFoundError: "There is no microphone: none is plugged in, or the system hides it. Plug one in, or open a recording.",
  NotReadableError: "The microphone cannot be opened: another program may hold it. Close that one and try again.",
};
const ELSEWHERE = "This browser gives no microphone to pages from another machine over plain http. Open the page on the " +
  "machine that serves it, at http://127.0.0.1, or open a recording instead.";

export async function openMicrophone() {
  if (!navigator.mediaDevices?.getUserMedia) throw new Error(ELSEWHERE);
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({
      // what calls do to a voice is not what the network was trained on
      audio: { channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: false },
    });
  } catch (error) {
    throw new Error(PLAIN[error.name] ?? `The microphone cannot be opened: ${error.message}.`);
  }
  const context = new AudioContext();
  await context.audioWorklet.addModule("/page/capture.js");
  await context.resume();
  return {
    rate: context.sampleRate,
    // `take` gets a Float32Array at a time from now on; `lost` is called once if the microphone goes away
    listen(take, lost) {
      const node = new AudioWorkletNode(context, "capture", { numberOfInputs: 1, numberOfOutputs: 1 });
      node.port.onmessage = ({ data }) => take(data);
      context.createMediaStreamSource(stream).connect(node);
      node.connect(context.destination); // silent: a node that leads nowhere may not be run
      for (const track of stream.getTracks()) track.onended = lost;
    },
    close() {
      for (const track of stream.getTracks()) {
        track.onended = null;
        track.stop();
      }
      if (context.state !== "closed") context.close();
    },
  };
}
