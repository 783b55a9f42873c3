// Decides which row counts for each address, over all files: the strictest, and of equally strict ones the first. Only a hash of
// each address is kept, so that a million take 32 MB and not ten times that.

/** An open-addressing table from 64 bits of an address's keyed hash to its row and that row's strictness. */
export class Settled {
  #capacity = 1 << 12
  #size = 0
  #high = new Uint32Array(this.#capacity)
  #low = new Uint32Array(this.#capacity)
  /** The row's number over all files, from 1; 0: free. */
  #row = new Uint32Array(this.#capacity)
  #strictness = new Uint8Array(this.#capacity)

  /** `emailHash`: hex. Rows count from 1. Returns whether the address occurred before. */
  add(emailHash: string, row: number, strictness: number): boolean {
    if (this.#size * 2 >= this.#capacity) this.#grow()
    const [high, low] = bitsOf(emailHash)
    const at = this.#find(high, low)
    if (this.#row[at] === 0) {
      this.#size++
      this.#put(at, high, low, row, strictness)
      return false
    }
    if (strictness > this.#strictness[at]!) this.#put(at, high, low, row, strictness)
    return true
  }

  /** The rows that count and are at least that strict. */
  winners(rows: number, strictness = 0): Bits {
    const bits = new Bits(rows + 1)
    this.#row.forEach((row, at) => {
      if (row !== 0 && this.#strictness[at]! >= strictness) bits.set(row)
    })
    return bits
  }

  get size(): number {
    return this.#size
  }

  #put(at: number, high: number, low: number, row: number, strictness: number): void {
    this.#high[at] = high
    this.#low[at] = low
    this.#row[at] = row
    this.#strictness[at] = strictness
  }

  /** Its index, or the index where it would be. */
  #find(high: number, low: number): number {
    const mask = this.#capacity - 1
    let at = low & mask
    while (this.#row[at] !== 0 && (this.#high[at] !== high || this.#low[at] !== low)) at = (at + 1) & mask
    return at
  }

  #grow(): void {
    const before = {
      capacity: this.#capacity,
      high: this.#high,
      low: this.#low,
      row: this.#row,
      strictness: this.#strictness,
    }
    this.#capacity *= 2
    this.#high = new Uint32Array(this.#capacity)
    this.#low = new Uint32Array(this.#capacity)
    this.#row = new Uint32Array(this.#capacity)
    this.#strictness = new Uint8Array(this.#capacity)
    for (let at = 0; at < before.capacity; at++)
      if (before.row[at] !== 0)
        this.#put(
          this.#find(before.high[at]!, before.low[at]!),
          before.high[at]!,
          before.low[at]!,
          before.row[at]!,
          before.strictness[at]!,
        )
  }
}

export class Bits {
  #bytes: Uint8Array
  constructor(size: number) {
    this.#bytes = new Uint8Array((size >> 3) + 1)
  }
  set(at: number): void {
    this.#bytes[at >> 3]! |= 1 << (at & 7)
  }
  get isEmpty(): boolean {
    return this.#bytes.every((byte) => byte === 0)
  }
  has(at: number): boolean {
    return (this.#bytes[at >> 3]! & (1 << (at & 7))) !== 0
  }
}

function bitsOf(emailHash: string): [high: number, low: number] {
  return [Number.parseInt(emailHash.slice(0, 8), 16), Number.parseInt(emailHash.slice(8, 16), 16)]
}
