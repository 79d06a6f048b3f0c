// In the audio thread: the microphone's samples, channels mixed down, in blocks of BLOCK to the page.
const BLOCK = 1024; // 21 ms at 48 kHz

class Capture extends AudioWorkletProcessor {
  constructor() {
    super();
    this.start();
  }

  start() {
    this.block = new Float32Array(BLOCK);
    this.filled = 0;
  }

  process([channels]) {
    const length = channels.length ? channels[0].length : 0;
    for (let i = 0; i < length; i++) {
      let sum = 0;
      for (const channel of channels) sum += channel[i];
      this.block[this.filled++] = sum / channels.length;
      if (this.filled === BLOCK) {
        this.port.postMessage(this.block, [this.block.buffer]);
        this.start();
      }
    }
    return true; // the output stays silent
  }
}

registerProcessor("capture", Capture);
