// Encoded pieces of mails with slots: places for personal values. Stored as JSON text, as quoted-printable is ASCII:
// [decoded size, encoded, slot, encoded, …].

import { encodeFragment, type Fragment } from '../mails/quoted-printable.ts'

/** What the fragments of a story leave open, for each language to fill when a worker opens the snapshot. */
const storySlots = ['byline', 'bylineTurn', 'share', 'mailNetwork', 'thumb'] as const
export type StorySlot = (typeof storySlots)[number]

export const slotNames = [
  ...storySlots,
  'preheader',
  'dateline',
  'choices',
  'recipient',
  'preferencesUrl',
  'unsubscribeUrl',
  'lessUrl',
  'viewUrl',
  'more',
  'count',
  'contents',
] as const
export type SlotName = (typeof slotNames)[number]
export type Slots = Partial<Record<SlotName, Fragment>>

export type StoredFragment = [size: number, first: string, ...rest: string[]]

/** What a template gets for `slot`: marks that no cleaned text can hold. */
export const slotMarks = Object.fromEntries(slotNames.map((name) => [name, `\u0001${name}\u0001`]))

/** Encodes a filled template around its slot marks. */
export function storeFragment(filled: string): StoredFragment {
  // oxlint-disable-next-line no-control-regex
  const parts = filled.split(/\x01([a-zA-Z]+)\x01/)
  let size = 0
  const encoded = parts.map((part, index) => {
    if (index % 2) return part
    const fragment = encodeFragment(part)
    size += fragment.size
    return fragment.bytes.toString('latin1')
  })
  return [size, ...encoded] as StoredFragment
}

/** A stored fragment as a worker keeps it. */
export interface Piece {
  /** Decoded bytes without the slots' values. */
  size: number
  /** One more than slots: they go between. */
  parts: Buffer[]
  slots: SlotName[]
}

export function openPiece([size, ...parts]: StoredFragment): Piece {
  return {
    size,
    parts: parts.filter((_, index) => index % 2 === 0).map((part) => Buffer.from(part, 'latin1')),
    slots: parts.filter((_, index) => index % 2 === 1) as SlotName[],
  }
}

/** Pieces with all their slots filled once: fewer steps on the hot path. */
export function fillPieces<K extends string>(pieces: Record<K, Piece>, slots: Slots): Record<K, Fragment> {
  const filled = {} as Record<K, Fragment>
  for (const name of Object.keys(pieces) as K[]) {
    const body: Buffer[] = []
    putPiece(body, pieces[name], slots)
    filled[name] = {
      bytes: body.length === 1 ? body[0]! : Buffer.concat(body),
      size: sizeOfPiece(pieces[name], slots),
    }
  }
  return filled
}

export function openPieces<K extends string>(stored: Record<K, StoredFragment>): Record<K, Piece> {
  const opened = {} as Record<K, Piece>
  for (const name of Object.keys(stored) as K[]) opened[name] = openPiece(stored[name])
  return opened
}

/** Appends a piece to a body, its slots filled. */
export function putPiece(body: Buffer[], piece: Piece, slots: Slots = {}): void {
  body.push(piece.parts[0]!)
  for (let i = 0; i < piece.slots.length; i++) body.push(slots[piece.slots[i]!]!.bytes, piece.parts[i + 1]!)
}

export function sizeOfPiece(piece: Piece, slots: Slots): number {
  let { size } = piece
  for (const name of piece.slots) size += slots[name]!.size
  return size
}

/** One line without control characters, which mark slots here and end lines elsewhere. */
export function cleanText(text: string): string {
  return (
    text
      // oxlint-disable-next-line no-control-regex
      .replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029\s]+/g, ' ')
      .trim()
  )
}
