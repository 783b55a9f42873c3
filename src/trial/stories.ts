// The stories of the fictional Whale Gazette: a pure function of the start of the trial and of now, so every restart and every
// process gives the same result without a row in the database. Per category, the first five stories are from the 24 hours before
// the first start, and the next five from the days before. After that one new story appears every ten minutes: first the rest of
// stories.json, then short notes without end.

import written from './stories.json' with { type: 'json' }

export interface SampleStory {
  slug: string
  /** Slugs; the first is the primary one. */
  categories: readonly string[]
  title: string
  author: string
  summary: string
  body: readonly string[]
  publishedAt: Date
}

type Writing = Omit<SampleStory, 'publishedAt'>

export const sampleCategories = [
  {
    slug: 'politics',
    name: 'Politics',
    description: 'The council, the capital, and who said what',
    translations: {
      de: { name: 'Politik', description: 'Der Rat, die Hauptstadt, und wer was gesagt hat' },
      fr: { name: 'Politique', description: 'Le conseil, la capitale, et qui a dit quoi' },
      es: { name: 'Política', description: 'El ayuntamiento, la capital y quién dijo qué' },
      ar: { name: 'سياسة', description: 'المجلس والعاصمة ومن قال ماذا' },
    },
  },
  {
    slug: 'world-news',
    name: 'World News',
    description: 'From the other side of the harbour wall',
    translations: {
      de: { name: 'Welt', description: 'Von jenseits der Hafenmauer' },
      fr: { name: 'Monde', description: 'De l’autre côté de la digue' },
      es: { name: 'Mundo', description: 'Desde el otro lado del muelle' },
      ar: { name: 'العالم', description: 'من الجانب الآخر لجدار الميناء' },
    },
  },
  {
    slug: 'business',
    name: 'Business',
    description: 'Firms, wages, prices',
    translations: {
      de: { name: 'Wirtschaft', description: 'Firmen, Löhne, Preise' },
      fr: { name: 'Économie', description: 'Entreprises, salaires, prix' },
      es: { name: 'Economía', description: 'Empresas, salarios, precios' },
      ar: { name: 'اقتصاد', description: 'الشركات والأجور والأسعار' },
    },
  },
  {
    slug: 'investing',
    name: 'Investing',
    description: 'Markets and savings, without the shouting',
    translations: {
      de: { name: 'Geldanlage', description: 'Märkte und Erspartes, ohne Geschrei' },
      fr: { name: 'Placements', description: 'Marchés et épargne, sans tapage' },
      es: { name: 'Inversión', description: 'Mercados y ahorro, sin estridencias' },
      ar: { name: 'استثمار', description: 'الأسواق والمدخرات بلا ضجيج' },
    },
  },
] as const

export const minutesBetweenStories = 10

const minute = 60_000
/**
 * Minutes before the first start, for a category's first ten. Each category adds a few, so that no two stories have the same
 * minute.
 */
const agesInMinutes = [25, 130, 320, 640, 1150, 1900, 3100, 4700, 6500, 9000]

const byCategory = sampleCategories.map(({ slug }) => written.filter((story) => story.categories[0] === slug))
/** The stories that appear after the first start, alternating between categories. */
const upcoming: Writing[] = []
for (let row = agesInMinutes.length; byCategory.some((stories) => stories.length > row); row++)
  for (const stories of byCategory) upcoming.push(...stories.slice(row, row + 1))

/** Everything that is public at `now`, newest first, at most `limit`; with `category`, only its stories. Pure. */
export function publishedStories(
  firstStart: Date,
  now: Date,
  { category, limit }: { category?: string; limit: number },
): SampleStory[] {
  const found: SampleStory[] = []
  const wanted = (story: Writing) => !category || story.categories.includes(category)
  for (let number = storiesSince(firstStart, now); number >= 1 && found.length < limit; number--) {
    const story = laterStory(number)
    if (wanted(story)) found.push({ ...story, publishedAt: laterDate(firstStart, number) })
  }
  if (found.length < limit)
    found.push(...earlierStories(firstStart).filter((story) => wanted(story) && story.publishedAt <= now))
  return found.slice(0, limit)
}

/** The story with that slug, if it is public by now. Pure. */
export function findStory(firstStart: Date, now: Date, slug: string): SampleStory | undefined {
  const noteNumber = /-note-([1-9]\d{0,8})$/.exec(slug)?.[1]
  const number = noteNumber ? Number(noteNumber) : upcoming.findIndex((story) => story.slug === slug) + 1
  if (number === 0) return earlierStories(firstStart).find((story) => story.slug === slug && story.publishedAt <= now)
  if (number > storiesSince(firstStart, now) || laterStory(number).slug !== slug) return undefined
  return { ...laterStory(number), publishedAt: laterDate(firstStart, number) }
}

/** How many new stories have appeared since the trial began. */
export function storiesSince(firstStart: Date, now: Date): number {
  return Math.max(0, Math.floor((now.getTime() - firstStart.getTime()) / (minutesBetweenStories * minute)))
}

function laterDate(firstStart: Date, number: number): Date {
  return wholeSecond(new Date(firstStart.getTime() + number * minutesBetweenStories * minute))
}

function earlierStories(firstStart: Date): SampleStory[] {
  return byCategory
    .flatMap((stories, column) =>
      stories.slice(0, agesInMinutes.length).map((story, row) => ({
        ...story,
        publishedAt: wholeSecond(new Date(firstStart.getTime() - (agesInMinutes[row]! + column * 7) * minute)),
      })),
    )
    .sort((a, b) => b.publishedAt.getTime() - a.publishedAt.getTime())
}

/** The `number`-th new story, counted from 1. */
function laterStory(number: number): Writing {
  return upcoming[number - 1] ?? shortNote(number)
}

const places = [
  'Tarn Bay',
  'Lower Sill',
  'Port Maren',
  'Gull Island',
  'Elmsford Junction',
  'the harbour',
  'Upper Kessel',
]
const matters: Record<string, readonly string[]> = {
  politics: [
    'the bus that waits',
    'new benches',
    'the fish market roof',
    'quiet hours at the quay',
    'the library’s Sundays',
  ],
  'world-news': ['a ferry on time', 'the first snow', 'a bell that came home', 'nine whales', 'a bridge with a name'],
  business: ['rope orders', 'the price of diesel', 'hands for the season', 'a second oven', 'ice by the crate'],
  investing: ['the harbour bond', 'wheat in store', 'timber prices', 'quiet yields', 'copper in the sheds'],
}

/** After all stories of stories.json, the Gazette publishes numbered notes. */
function shortNote(number: number): Writing {
  const category = sampleCategories[(number - 1) % sampleCategories.length]!
  const place = places[number % places.length]!
  const matter = matters[category.slug]![Math.floor(number / 4) % 5]!
  const amount = 3 + ((number * 37) % 89)
  return {
    slug: `${category.slug}-note-${number}`,
    categories: [category.slug],
    title: `Note ${number} from ${place}: ${matter}`,
    author: 'Staff Writer',
    summary: `Our correspondent in ${place} counted ${amount}, and wrote it down.`,
    body: [
      `Our correspondent in ${place} counted ${amount}, and wrote it down.`,
      `This is note ${number} of the Gazette’s log. Yesterday’s figure was ${amount - (number % 3)}; on ${matter}, opinions at the quay differ.`,
    ],
  }
}

/** Feeds contain whole seconds. */
function wholeSecond(date: Date): Date {
  return new Date(Math.floor(date.getTime() / 1000) * 1000)
}
