// Time zones in the dates of feeds: offsets, abbreviations, names of the tz database, cities, names in words.

/** Minutes east of UTC, or a zone with changing offsets. */
export type Offset = number | string

/** '' is the site's zone; null: not a zone (lenient: unknown words are skipped). Pure. */
export function offsetOf(given: string, site: string, options: { lenient?: boolean } = {}): Offset | null {
  const text = given.trim().toLowerCase()
  const outside = text
    .replace(/\([^)]*\)/g, ' ')
    .replace(/\[[^\]]*\]/g, ' ')
    .trim()
  // (GMT+7), if there is no other zone.
  const inside = /[([]([^)\]]*)[)\]]/.exec(text)?.[1]?.trim() ?? ''
  const found = outside ? named(outside) : named(inside)
  if (found !== undefined) return found
  return options.lenient || !outside ? site : null
}

/** undefined: unknown. */
function named(text: string): Offset | null | undefined {
  const digits = /^(?:z|gmt|utc?)? ?([+\u2212-]) ?(?:(\d)(\d\d)|(\d{1,2}):?(\d{1,2})?)(?![\d:])/.exec(text)
  if (digits) {
    const [, sign, hour, past, hours = hour, minutes = past] = digits
    const total = Number(hours) * 60 + Number(minutes ?? 0)
    return total > 15 * 60 ? null : sign === '+' ? total : -total
  }
  const place = /^[a-z]+(?:\/[a-z_+-]+)+/.exec(text)?.[0]
  if (place) return ofDatabase().get(place)
  const words = /^([a-z][a-z ]{0,60}?) time\b/.exec(text)?.[1]
  if (words) return ofWords(words)
  const word = /^[a-z]+/.exec(text)?.[0]
  return word === undefined ? undefined : zones.get(word)
}

let database: ReadonlyMap<string, string> | null = null

/** The tz database by name and by city: `europe/berlin`, `berlin`. */
function ofDatabase(): ReadonlyMap<string, string> {
  database ??= new Map(
    Intl.supportedValuesOf('timeZone').flatMap((name) => {
      const lower = name.toLowerCase()
      return [[lower, name] as const, [lower.slice(lower.lastIndexOf('/') + 1).replaceAll('_', ' '), name] as const]
    }),
  )
  return database
}

/** `Eastern Daylight`, `Central European`, `Berlin`. */
function ofWords(words: string): Offset | undefined {
  const [, name = words, season] = /^(.*?) (standard|daylight|summer|mean)$/.exec(words) ?? []
  const abbreviations = inWords.get(name)?.split(' ')
  if (abbreviations)
    return zones.get(abbreviations[season === undefined ? 0 : season === 'standard' || season === 'mean' ? 1 : 2] ?? '')
  return ofDatabase().get(name.replace(/ local$/, ''))
}

/** Each with its zone, and the abbreviations of its standard and its summer time. */
const inWords = new Map(
  `eastern:et est edt|central:ct cst cdt|mountain:mt mst mdt|pacific:pt pst pdt|alaska:akt akst akdt|hawaii:hst hst hst|atlantic:ast ast adt
  |greenwich:gmt gmt bst|coordinated universal:utc utc utc|universal:utc utc utc|british:uk gmt bst|uk:uk gmt bst|western european:weu wet west
  |central european:ceu cet cest|eastern european:eeu eet eest|moscow:msk msk msd|india:ist ist ist|indian:ist ist ist|pakistan:pkt pkt pkt
  |western indonesia:wib wib wib|china:hkt hkt hkt|hong kong:hkt hkt hkt|singapore:sgt sgt sgt|philippine:pht pht pht|japan:jst jst jst
  |korea:kst kst kst|australian eastern:aet aest aedt|australian central:acst acst acdt|australian western:awst awst awst
  |new zealand:nzt nzst nzdt|israel:il israelst idt|gulf:gst gst gst|south africa:sast sast sast|south african:sast sast sast
  |east africa:eat eat eat|west africa:wat wat wat|central africa:cat cat cat|argentina:art art art|brasilia:brt brt brt`
    .split('|')
    .map((line) => line.trim().split(':') as [string, string]),
)

/**
 * Names that occur in feeds. An ambiguous name has the meaning of the feeds that use it: EST is American. Names without a season
 * mean local time.
 */
// prettier-ignore
const zones: ReadonlyMap<string, Offset> = new Map<string, Offset>(Object.entries({
  z: 0, ut: 0, utc: 0, gmt: 0, wet: 0, west: 60, bst: 60, cet: 60, cest: 120, mez: 60, mesz: 120, met: 60, ceu: 'Europe/Berlin', eeu: 'Europe/Helsinki', weu: 'Europe/Lisbon', uk: 'Europe/London', il: 'Asia/Jerusalem', mest: 120,
  eet: 120, eest: 180, oez: 120, oesz: 180, msk: 180, msd: 240, trt: 180, idt: 180, israelst: 120, sast: 120, cat: 120, eat: 180, wat: 60,
  irst: 210, irdt: 270, gst: 240, azt: 240, get: 240, samt: 240, aft: 270, pkt: 300, uzt: 300, mvt: 300, yekt: 300, ist: 330, npt: 345,
  omst: 360, kgt: 360, bdt: 360, mmt: 390, wib: 420, ict: 420, novt: 420, krat: 420, hkt: 480, sgt: 480, myt: 480, pht: 480, wita: 480,
  irkt: 480, awst: 480, wit: 540, jst: 540, kst: 540, yakt: 540, acst: 570, acdt: 630, aest: 600, aedt: 660, aet: 'Australia/Sydney',
  vlat: 600, chst: 600, magt: 660, sbt: 660, nzst: 720, nzdt: 780, nzt: 'Pacific/Auckland', fjt: 720, pett: 720, tot: 780, sst: -660,
  azot: -60, cvt: -60, brst: -120, fnt: -120, brt: -180, art: -180, uyt: -180, pyt: -180, clst: -180, clt: -240, bot: -240, vet: -240,
  gyt: -240, cot: -300, pet: -300, ect: -300, nst: -210, ndt: -150, ast: -240, adt: -180, est: -300, edt: -240, et: 'America/New_York',
  cst: -360, cdt: -300, ct: 'America/Chicago', mst: -420, mdt: -360, mt: 'America/Denver', pst: -480, pdt: -420,
  pt: 'America/Los_Angeles', akst: -540, akdt: -480, akt: 'America/Anchorage', hst: -600, hdt: -540,
}))
