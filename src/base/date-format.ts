// Formatters of dates, each made once: making one takes a hundred times as long as using it.

const formatters = new Map<string, Intl.DateTimeFormat>()

/** The same object for the same arguments. English puts the day before the month, as most of the world does. */
export function dateFormat(locale: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${locale}${JSON.stringify(options)}`
  let found = formatters.get(key)
  if (!found) {
    // Readers bring their own zones and languages.
    if (formatters.size > 500) formatters.clear()
    formatters.set(key, (found = new Intl.DateTimeFormat(locale === 'en' ? 'en-GB' : locale, options)))
  }
  return found
}
