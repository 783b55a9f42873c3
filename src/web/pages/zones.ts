// Time zones as a list to choose from: grouped by region, in names that people look for.

import { isTimeZone } from '../../base/time-zone.ts'
import type { Key } from '../../messages/english.ts'
import type { Say } from '../../messages/messages.ts'
import { html, trusted, type Html } from '../html.ts'

/** Names that places have given up, and which ICU still lists instead of the ones that people look for. */
const renamedZones: Record<string, string> = {
  'Africa/Asmera': 'Africa/Asmara',
  'America/Buenos_Aires': 'America/Argentina/Buenos_Aires',
  'America/Godthab': 'America/Nuuk',
  'Asia/Calcutta': 'Asia/Kolkata',
  'Asia/Katmandu': 'Asia/Kathmandu',
  'Asia/Rangoon': 'Asia/Yangon',
  'Asia/Saigon': 'Asia/Ho_Chi_Minh',
  'Atlantic/Faeroe': 'Atlantic/Faroe',
  'Europe/Kiev': 'Europe/Kyiv',
  'Pacific/Enderbury': 'Pacific/Kanton',
  'Pacific/Ponape': 'Pacific/Pohnpei',
  'Pacific/Truk': 'Pacific/Chuuk',
}

/** All zones that this machine knows. */
const timezones: readonly string[] = [
  'UTC',
  ...new Set(
    Intl.supportedValuesOf('timeZone')
      .map((zone) => renamedZones[zone] ?? zone)
      .filter((zone) => zone !== 'UTC')
      .toSorted(),
  ),
]

const regions: Record<string, Key> = {
  Africa: 'form.zoneAfrica',
  America: 'form.zoneAmericas',
  Antarctica: 'form.zonePoles',
  Arctic: 'form.zonePoles',
  Asia: 'form.zoneAsia',
  Atlantic: 'form.zoneAtlantic',
  Australia: 'form.zoneAustralia',
  Europe: 'form.zoneEurope',
  Indian: 'form.zoneIndian',
  Pacific: 'form.zonePacific',
  UTC: 'form.zoneUniversal',
}

const regionOf = (say: Say, zone: string): string => {
  const first = zone.split('/')[0]!
  return regions[first] ? say(regions[first]) : first
}

/** America/Argentina/Ushuaia → Ushuaia (Argentina) */
function placeIn(zone: string): string {
  const names = zone.replaceAll('_', ' ').split('/').slice(1)
  return names.length > 1 ? `${names.at(-1)} (${names[0]})` : (names[0] ?? zone)
}

/** Europe/Berlin → Berlin time */
export function zoneName(say: Say, zone: string): string {
  return zone.includes('/') ? say('form.timeOfPlace', { place: zone.split('/').at(-1)!.replaceAll('_', ' ') }) : zone
}

// Four hundred options are the same for almost everyone: made once per language.
const made = new WeakMap<Say, Html>()

function zonesIn(say: Say): Html {
  let all = made.get(say)
  if (!all) {
    const groups = [...Map.groupBy(timezones, (zone) => regionOf(say, zone))]
    all = html`${groups
      .toSorted(([a], [b]) => a.localeCompare(b, say.locale))
      .map(
        ([region, zones]) =>
          html`<optgroup label="${region}">
            ${zones.map((zone) => html`<option value="${zone}">${placeIn(zone)}</option>`)}
          </optgroup>`,
      )}`
    made.set(say, all)
  }
  return all
}

/** The options of a select, of which `value` is selected. */
export function zoneOptions(say: Say, value: string): Html {
  const allZones = zonesIn(say)
  if (!isTimeZone(value)) return allZones
  if (!timezones.includes(value))
    return html`<option value="${value}" selected>${value.replaceAll('_', ' ')}</option>
      ${allZones}`
  const at = `value="${value}"`
  return trusted(allZones.text((path) => path).replace(at, `${at} selected`))
}
