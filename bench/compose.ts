// npm run bench -- compose [--mails N]: what composing a digest costs once its edition is rendered (selection, splicing, signing the
// links, one Buffer of it all), with one combination of categories for everybody and with 1,000 different ones, in turns in one run. Fails nothing;
// prints a table and one JSON line.

import { composeDigest, type Reader } from '../src/digests/compose.ts'
import { openSource } from '../src/digests/next.ts'
import { makeSource, mailConfig } from '../tests/support/digest-mail.ts'

const at = process.argv.indexOf('--mails')
const mails = at < 0 ? 60_000 : Number(process.argv[at + 1])
/** Many short turns by CPU time, the best of each counts: the machine's other work then disturbs neither. */
const rounds = 60
const turn = Math.ceil(mails / rounds)
const categories = 20
const chosen = 4
const config = { ...mailConfig, digest: { ...mailConfig.digest, stories: 5 } }
const now = new Date('2026-11-23T06:00:00Z')

const renderStart = performance.now()
const edition = await openSource({ config }, makeSource(categories, 15), { cutoffSeq: 1e6, at: now })
const renderMs = performance.now() - renderStart

// Every combination has four categories in an order of its own: 20 × 19 × 18 × 17 are possible.
const combinations = Array.from({ length: 1000 }, (_, index) => {
  const pool = Array.from({ length: categories }, (_, id) => id + 1)
  let seed = index * 7919 + 17
  return Array.from({ length: chosen }, () => {
    seed = (seed * 48_271) % 2_147_483_647
    return pool.splice(seed % pool.length, 1)[0]!
  })
})
const different = new Set(combinations.map(String)).size

function run(many: boolean): { us: number; bytes: number } {
  let bytes = 0
  const start = process.cpuUsage()
  for (let id = 1; id <= turn; id++) {
    const reader: Reader = {
      id,
      timezone: 'Europe/Berlin',
      subscriptions: (many ? combinations[id % 1000]! : combinations[0]!).map((categoryId, position) => ({
        categoryId,
        frequency: 'daily',
        position,
      })),
      watermarks: {},
      seen: [],
    }
    const recipient = `reader${id}@example.org`
    const composed = composeDigest({ config }, edition, reader, { recipient, due: 1, articleIds: null }, now)
    if (composed.outcome !== 'mail') throw new Error('every reader has something new')
    bytes += composed.mail.htmlBytes
    if (Buffer.concat(composed.mail.body).length < composed.mail.htmlBytes) throw new Error('a mail is too short')
  }
  const { user, system } = process.cpuUsage(start)
  return { us: (user + system) / turn, bytes: Math.round(bytes / turn) }
}

run(false)
run(true)
const one: number[] = []
const thousand: number[] = []
let bytes = 0
for (let round = 0; round < rounds; round++) {
  one.push(run(false).us)
  const result = run(true)
  thousand.push(result.us)
  bytes = result.bytes
}
const [a, b] = [Math.min(...one), Math.min(...thousand)]
const ratio = b / a
console.log(`edition rendered   ${renderMs.toFixed(0)} ms, ${categories} categories of 15 stories`)
console.log(`one combination    ${a.toFixed(1)} µs a mail, ${Math.round(1e6 / a)} mails/s`)
console.log(`${different} combinations ${b.toFixed(1)} µs a mail, ${Math.round(1e6 / b)} mails/s`)
console.log(`ratio              ${ratio.toFixed(3)} (at most 1.1 wanted), ${bytes} bytes of HTML`)
console.log(
  JSON.stringify({
    bench: 'compose',
    mails,
    combinations: different,
    renderMs: Math.round(renderMs),
    oneUs: Number(a.toFixed(2)),
    manyUs: Number(b.toFixed(2)),
    ratio: Number(ratio.toFixed(3)),
    htmlBytes: bytes,
  }),
)
