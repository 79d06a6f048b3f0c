// The socket to the server: what it says, unpacked. The protocol is in cosim/serve/session.py and wire.py.

// Frames of a binary message: features Int8Array, and for each layer a Uint8Array with bits of the time steps (1: fired
// in step 0, 2: in step 1).
export function unpack(buffer, sizes) {
  const view = new DataView(buffer);
  const count = view.getUint32(4, true);
  const frames = [];
  for (let t = 0; t < count; t++) {
    const features = new Int8Array(buffer, 8 + t * sizes.features, sizes.features);
    frames.push({ number: view.getUint32(0, true) + t, features, layers: [] });
  }
  let at = 8 + count * sizes.features;
  for (const neurons of sizes.layers) {
    const stride = Math.ceil((sizes.time_steps * neurons) / 8);
    for (const frame of frames) {
      const bits = new Uint8Array(buffer, at, stride);
      const fired = new Uint8Array(neurons);
      for (let step = 0; step < sizes.time_steps; step++) {
        for (let n = 0; n < neurons; n++) {
          const bit = step * neurons + n;
          fired[n] |= ((bits[bit >> 3] >> (bit & 7)) & 1) << step;
        }
      }
      frame.layers.push(fired);
      at += stride;
    }
  }
  return frames;
}

const MOST_UNSENT = 1 << 20; // bytes of sound: beyond, the server does not read, and sound is dropped here

export class Listening {
  // `hear`: an object with a function for each type of message, and `frames`, `closed`
  constructor(start, hear) {
    this.hear = hear;
    this.socket = new WebSocket(`ws://${location.host}/listen`);
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = () => this.socket.send(JSON.stringify({ type: "start", ...start }));
    this.socket.onmessage = ({ data }) => this.take(data);
    this.socket.onclose = () => hear.closed();
  }

  take(data) {
    if (typeof data !== "string") {
      this.hear.frames(unpack(data, this.sizes));
      return;
    }
    const message = JSON.parse(data);
    if (message.type === "started") this.sizes = message;
    this.hear[message.type]?.(message);
  }

  // false where it was dropped; what the audio thread still had under way when the user stopped is not sent
  sound(block) {
    if (this.stopped) return true;
    if (this.socket.readyState !== WebSocket.OPEN || this.socket.bufferedAmount > MOST_UNSENT) return false;
    this.socket.send(block);
    return true;
  }

  async file(file) {
    const piece = 128 * 1024;
    for (let at = 0; at < file.size && this.socket.readyState === WebSocket.OPEN; at += piece) {
      this.socket.send(await file.slice(at, at + piece).arrayBuffer());
    }
  }

  stop() {
    this.stopped = true;
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({ type: "stop" }));
  }

  close() {
    this.socket.close();
  }
}
