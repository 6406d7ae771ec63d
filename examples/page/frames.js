// Turns a time of the film into the frame on show then, and a frame into a time code, as
// examples/export/frame_clock does. Whole numbers beyond 2^53 come up on the way: BigInt.

const kRounding = 501000;  // ns: of containers and of decimals

class FrameClock {
  constructor([n, d]) {
    this.n = n;
    this.d = d;
    this.isKnown = n > 0 && d > 0;
    this.nominal = Math.max(Math.floor((n + Math.floor(d / 2)) / Math.max(d, 1)), 1);
    this.isDropFrame = d === 1001 && (n === 30000 || n === 60000);
  }

  frameAt(ns) {
    return Number(BigInt(ns + kRounding) * BigInt(this.n) / (BigInt(this.d) * 1000000000n));
  }

  // Of the frame's beginning, rounded up.
  timeOf(frame) {
    const above = BigInt(frame) * BigInt(this.d) * 1000000000n, n = BigInt(this.n);
    return Number((above + n - 1n) / n);
  }

  // The nearest millisecond that shows the same frame.
  millisecondsAt(ns) {
    const nearest = Math.floor((ns + 500000) / 1e6);
    if (!this.isKnown) return nearest;
    const frame = this.frameAt(ns);
    const first = this.timeOf(frame);
    if (nearest * 1e6 < first) return Math.floor((first + 999999) / 1e6);
    return nearest * 1e6 >= this.timeOf(frame + 1) && nearest > 0 ? nearest - 1 : nearest;
  }

  // One frame at least.
  framesOf(hit) {
    const start = this.frameAt(hit.start);
    return {start, count: Math.max(this.frameAt(hit.stop) - start, 1)};
  }

  // SMPTE ST 12-1. Of ten minutes in drop-frame counting nine leave out their first numbers.
  timeCode(frame, colon = ":") {
    let number = frame;
    if (this.isDropFrame) {
      const dropped = this.nominal / 15;
      const aMinute = 60 * this.nominal - dropped;
      const tenMinutes = 10 * aMinute + dropped;
      const rest = frame % tenMinutes;
      number += 9 * dropped * Math.floor(frame / tenMinutes);
      if (rest >= dropped) number += dropped * Math.floor((rest - dropped) / aMinute);
    }
    const seconds = Math.floor(number / this.nominal);
    const [h, m, s, f] = [Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60, seconds % 60, number % this.nominal].map(twoDigits);
    return h + colon + m + colon + s + (this.isDropFrame ? ";" : ":") + f;
  }
}

function twoDigits(n) {
  return String(n).padStart(2, "0");
}
