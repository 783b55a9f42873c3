// Which names are time zones.

const knownZones = new Set<string>()

export function isTimeZone(name: string): boolean {
  if (knownZones.has(name)) return true
  if (!/^[A-Za-z][A-Za-z0-9_+/-]{0,63}$/.test(name)) return false
  try {
    Intl.DateTimeFormat('en', { timeZone: name })
    // Asking Intl takes longer than a sign-up's SQL. The cache is bounded, because any mixture of case is a name.
    if (knownZones.size < 2000) knownZones.add(name)
    return true
  } catch {
    return false
  }
}
