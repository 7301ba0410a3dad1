const CHUNK_BYTES = 1 << 24;
const DECODED_MAX = 10_000;

/** Features of millions of records as UTF-8 JSON outside the heap; those in use lately are kept decoded. */
export class FeatureStore<F> {
  private readonly chunks: Uint8Array[] = [];
  private free = 0;
  /** Chunk, offset and length of each record. */
  private places = new Uint32Array(3 << 12);
  private count = 0;
  /** Those decoded or used lately, and those before them. */
  private fresh = new Map<number, F>();
  private stale = new Map<number, F>();
  private readonly encoder = new TextEncoder();
  private readonly decoder = new TextDecoder();

  constructor(private readonly shaped: (features: F) => F) {}

  push(features: F): void {
    const bytes = this.encoder.encode(JSON.stringify(features));
    if (this.chunks.length === 0 || this.free + bytes.length > CHUNK_BYTES) {
      this.chunks.push(new Uint8Array(Math.max(CHUNK_BYTES, bytes.length)));
      this.free = 0;
    }
    if (this.places.length < (this.count + 1) * 3) {
      const grown = new Uint32Array(this.places.length * 2);
      grown.set(this.places);
      this.places = grown;
    }
    (this.chunks.at(-1) as Uint8Array).set(bytes, this.free);
    this.places.set([this.chunks.length - 1, this.free, bytes.length], this.count * 3);
    this.free += bytes.length;
    this.count++;
  }

  get(i: number): F {
    const known = this.fresh.get(i);
    if (known) return known;
    const features = this.stale.get(i) ?? this.decode(i);
    if (this.fresh.size >= DECODED_MAX) [this.stale, this.fresh] = [this.fresh, new Map()];
    this.fresh.set(i, features);
    return features;
  }

  private decode(i: number): F {
    const [chunk, at, length] = this.places.subarray(i * 3, i * 3 + 3) as unknown as [number, number, number];
    const text = this.decoder.decode((this.chunks[chunk] as Uint8Array).subarray(at, at + length));
    return this.shaped(JSON.parse(text) as F);
  }
}
