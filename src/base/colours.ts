// The colours of pages and mails: the site sets paper, ink and accent, and the others are derived. Contrast is measured as in WCAG
// 2.2 (relative luminance, success criteria 1.4.3 and 1.4.11). Colours are `#rrggbb`. Pure.

/** The contrast that AA requires for text. */
export const leastContrast = 4.5
/** The contrast that AA requires for the edge of a field. */
const leastOfEdges = 3

/** The colours that a site sets, for a light or a dark background. */
export interface Brand {
  paper: string
  ink: string
  accent: string
}

/** The defaults, as in the mail templates and the style sheets. */
export const usualLight: Brand = { paper: '#fbfaf7', ink: '#1a1a1a', accent: '#7a1f2b' }
export const usualDark: Brand = { paper: '#16181b', ink: '#e8e6e1', accent: '#e58f97' }

/** From 1 (the same) to 21 (black on white). */
export function contrastOf(one: string, other: string): number {
  const [light, dark] = [luminanceOf(one), luminanceOf(other)].toSorted((a, b) => b - a) as [number, number]
  return (light + 0.05) / (dark + 0.05)
}

/** Every colour of a page. Small print, edges and errors keep the contrast that AA requires, whatever ink and paper are. */
export function coloursOf({ paper, ink, accent }: Brand) {
  return {
    paper,
    ink,
    accent,
    onAccent: mostReadable(accent, [paper, ink, '#ffffff', '#000000']),
    soft: faintest(ink, paper, 0.72, leastContrast),
    hair: mix(ink, paper, 0.15),
    edge: faintest(ink, paper, 0.5, leastOfEdges),
    bad: ['#a1231f', '#f09a92'].find((red) => contrastOf(red, paper) >= leastContrast) ?? ink,
  }
}

function mostReadable(background: string, colours: readonly string[]): string {
  return colours.toSorted((a, b) => contrastOf(b, background) - contrastOf(a, background))[0]!
}

/** Ink mixed into paper: a share of `share`, or more if the contrast requires it. */
function faintest(ink: string, paper: string, share: number, least: number): string {
  for (let of = share; of < 1; of += 0.04)
    if (contrastOf(mix(ink, paper, of), paper) >= least) return mix(ink, paper, of)
  return ink
}

/** `share` of `one` and the rest of `other`, in sRGB. */
function mix(one: string, other: string, share: number): string {
  const [a, b] = [channelsOf(one), channelsOf(other)]
  const mixed = a.map((value, index) => Math.round(value * share + b[index]! * (1 - share)))
  return `#${mixed.map((value) => value.toString(16).padStart(2, '0')).join('')}`
}

function luminanceOf(colour: string): number {
  const [red, green, blue] = channelsOf(colour).map((value) => {
    const part = value / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  }) as [number, number, number]
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

const channelsOf = (colour: string): number[] => [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16))
