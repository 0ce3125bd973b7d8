// SHA-256 beside the page, which stays quick meanwhile. A message {id, stream, slice} adds the slice
// to the stream's hash and is answered with the slice's own, in base64: {id, sum}. A message
// without a slice ends the stream: {id, sum} in hex. What can't be read: {id, unreadable: true}.
// WebCrypto takes no streams, hence an own SHA-256 (FIPS 180-4) for the whole.

const START = new Int32Array(8);
const K = new Int32Array(64);
for (let n = 2, found = 0; found < 64; n += 1) {
  if ([...Array(n).keys()].slice(2).some((divisor) => n % divisor === 0)) continue;
  // The first 32 bits of what stands behind the point of the roots of the primes.
  if (found < 8) START[found] = ((Math.sqrt(n) % 1) * 2 ** 32) | 0;
  K[found] = ((Math.cbrt(n) % 1) * 2 ** 32) | 0;
  found += 1;
}

// The functions of FIPS 180-4, 4.1.2; the large sigmas with what each round adds to them.
const turn = (x, by) => (x >>> by) | (x << (32 - by));
const sigma0 = (x) => turn(x, 7) ^ turn(x, 18) ^ (x >>> 3);
const sigma1 = (x) => turn(x, 17) ^ turn(x, 19) ^ (x >>> 10);
const choose = (e, f, g) => (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + (g ^ (e & (f ^ g)));
const majority = (a, b, c) => (turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (c & (a ^ b)));

// What the block's 16 words are spread over.
const words = new Int32Array(64);

// A function of its own: within the loop over all blocks V8 makes code of it that is a third slower.
// Like this it is as fast as with all rounds written out.
function addBlock(state, view, at) {
  for (let i = 0; i < 16; i += 1) words[i] = view.getInt32(at + 4 * i);
  for (let i = 16; i < 64; i += 1) {
    words[i] = words[i - 16] + sigma0(words[i - 15]) + words[i - 7] + sigma1(words[i - 2]);
  }
  let a = state[0], b = state[1], c = state[2], d = state[3];
  let e = state[4], f = state[5], g = state[6], h = state[7];
  for (let i = 0; i < 64; i += 1) {
    const t = (h + choose(e, f, g) + K[i] + words[i]) | 0;
    h = g; g = f; f = e; e = (d + t) | 0;
    d = c; c = b; b = a; a = (t + majority(b, c, d)) | 0;
  }
  state[0] += a; state[1] += b; state[2] += c; state[3] += d;
  state[4] += e; state[5] += f; state[6] += g; state[7] += h;
}

function addBlocks(state, bytes, from, to) {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  for (let at = from; at < to; at += 64) addBlock(state, view, at);
}

class Sha256 {
  state = START.slice();
  rest = new Uint8Array(64);
  held = 0;
  length = 0;

  update(bytes) {
    let at = 0;
    this.length += bytes.length;
    if (this.held) {
      at = Math.min(64 - this.held, bytes.length);
      this.rest.set(bytes.subarray(0, at), this.held);
      this.held += at;
      if (this.held < 64) return;
      addBlocks(this.state, this.rest, 0, 64);
    }
    const end = at + Math.floor((bytes.length - at) / 64) * 64;
    addBlocks(this.state, bytes, at, end);
    this.rest.set(bytes.subarray(end));
    this.held = bytes.length - end;
  }

  hex() {
    const tail = new Uint8Array(this.held < 56 ? 64 : 128);
    tail.set(this.rest.subarray(0, this.held));
    tail[this.held] = 0x80;
    // The length in bits, as 64-bit number: a file beyond 512 MiB needs the upper half.
    const view = new DataView(tail.buffer);
    view.setUint32(tail.length - 8, Math.floor(this.length / 2 ** 29));
    view.setUint32(tail.length - 4, this.length << 3);
    addBlocks(this.state, tail, 0, tail.length);
    return Array.from(this.state, (word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
  }
}

const streams = new Map();

async function add(stream, slice) {
  const bytes = new Uint8Array(await slice.arrayBuffer());
  if (bytes.length !== slice.size) throw new DOMException("shorter than it was", "NotReadableError");
  const own = crypto.subtle.digest("SHA-256", bytes);
  if (!streams.has(stream)) streams.set(stream, new Sha256());
  streams.get(stream).update(bytes);
  return btoa(String.fromCharCode(...new Uint8Array(await own)));
}

function end(stream) {
  const hash = streams.get(stream) ?? new Sha256();
  streams.delete(stream);
  return hash.hex();
}

onmessage = async ({ data: { id, stream, slice } }) => {
  try {
    postMessage({ id, sum: slice ? await add(stream, slice) : end(stream) });
  } catch {
    postMessage({ id, unreadable: true });
  }
};
