// The Gazette's pictures: a small seascape per story, drawn from its slug, always the same. PNG, because mail programs don't show
// SVG. 16 colours, so a picture has about 5 kB.

import { createHash } from 'node:crypto'
import { crc32, deflateSync } from 'node:zlib'

export const pictureWidth = 600
export const pictureHeight = 338

type Colour = readonly [red: number, green: number, blue: number]

/** Sky above, sky at the horizon, sea: one set of colours per category. */
const moods: Record<string, readonly [Colour, Colour, Colour]> = {
  politics: [
    [122, 31, 43],
    [231, 205, 190],
    [62, 40, 52],
  ],
  'world-news': [
    [38, 70, 96],
    [222, 214, 196],
    [28, 54, 72],
  ],
  business: [
    [88, 102, 92],
    [236, 222, 190],
    [40, 62, 58],
  ],
  investing: [
    [106, 84, 58],
    [240, 224, 184],
    [58, 58, 66],
  ],
}

export function paintPicture(slug: string, category: string): Buffer {
  const seed = createHash('sha256').update(slug).digest()
  const [top, horizonColour, sea] = moods[category] ?? moods['world-news']!
  const palette: Colour[] = [
    ...Array.from({ length: 8 }, (_, step) => mix(top, horizonColour, step / 7)),
    ...Array.from({ length: 6 }, (_, step) => mix(mix(sea, horizonColour, 0.35), sea, step / 5)),
    [251, 250, 247],
    [26, 26, 26],
  ]
  const paper = 14
  const ink = 15
  const horizon = 150 + (seed[0]! % 70)
  const sunX = 80 + (seed[1]! / 255) * 440
  const sunY = horizon - 20 - (seed[2]! % 60)
  const sunRadius = 26 + (seed[3]! % 22)
  const towerX = 60 + ((seed[4]! / 255) * 480 + (sunX < 300 ? 480 : 0)) / 2
  const shipX = 60 + (seed[5]! / 255) * 480
  const rows: Buffer[] = []
  for (let y = 0; y < pictureHeight; y++) {
    const row = Buffer.alloc(1 + pictureWidth / 2)
    for (let x = 0; x < pictureWidth; x++) {
      const swell = 7 * Math.sin(x / (34 + (seed[6]! % 30)) + y / 9) + 4 * Math.sin(x / 13 + seed[7]!)
      let colour: number
      if (y < horizon) {
        colour = Math.min(7, Math.floor((y / horizon) * 8))
        if ((x - sunX) ** 2 + (y - sunY) ** 2 < sunRadius ** 2) colour = paper
      } else {
        const depth = (y - horizon) / (pictureHeight - horizon)
        colour = 8 + Math.max(0, Math.min(5, Math.floor(depth * 6 + swell / 9)))
        // The sun's reflection on the water.
        if (Math.abs(x - sunX) < sunRadius * (0.4 + depth) && Math.floor(y / 4) % 3 === 0 && swell > 0) colour = paper
      }
      if (isTower(x - towerX, y - horizon)) colour = Math.floor((y - horizon + 90) / 22) % 2 ? ink : paper
      if (isShip(x - shipX, y - horizon - 14)) colour = ink
      row[1 + (x >> 1)]! |= x % 2 ? colour : colour << 4
    }
    rows.push(row)
  }
  return encodePng(Buffer.concat(rows), palette)
}

/** A striped lighthouse on the horizon. */
function isTower(x: number, y: number): boolean {
  return y > -96 && y < 4 && Math.abs(x) < (y < -84 ? 6 : 8 + (y + 90) / 18)
}

function isShip(x: number, y: number): boolean {
  const isHull = y >= 0 && y < 9 && Math.abs(x) < 26 - y
  const isHouse = y >= -9 && y < 0 && x > 4 && x < 18
  const isFunnel = y >= -17 && y < -9 && x > 8 && x < 13
  return isHull || isHouse || isFunnel
}

function mix(from: Colour, to: Colour, share: number): Colour {
  const at = (index: 0 | 1 | 2) => Math.round(from[index] + (to[index] - from[index]) * share)
  return [at(0), at(1), at(2)]
}

/** PNG 1.2 §4.1: 4 bits per pixel with a palette; `rows` start with their filter byte. */
function encodePng(rows: Buffer, palette: readonly Colour[]): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(pictureWidth, 0)
  header.writeUInt32BE(pictureHeight, 4)
  header.set([4, 3, 0, 0, 0], 8)
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    chunk('PLTE', Buffer.from(palette.flat())),
    chunk('IDAT', deflateSync(rows, { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const frame = Buffer.alloc(8)
  frame.writeUInt32BE(data.length, 0)
  frame.writeUInt32BE(crc32(body), 4)
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)])
}
