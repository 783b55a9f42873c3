// Whether two labels are the same: case, Unicode composition, punctuation, and & or "and" don't matter. Pure.

/** The key for comparison. `U.S. News` and `US news` have the same key, and so do `Arts & Culture` and `arts and culture`. */
export function labelKey(label: string): string {
  const key = label
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[.'’‘ʼ`´·\u00ad]/g, '')
    .replace(/&/g, ' and ')
    .replace(/[^\p{L}\p{N}\p{M}+#]+/gu, ' ')
    // C# and C++, but not #Sport.
    .replace(/(^| )[+#]+/g, '$1')
    .trim()
  return key || label.trim().toLowerCase()
}

/**
 * The key of the label, and those of its parts: a path (`News/World News`, `News > World News`) or a list (`Politics, World
 * News`).
 */
export function labelKeys(label: string): string[] {
  const parts = /[/>›»|\\,;]|::| - | – /.test(label) ? label.split(/[/>›»|\\,;]|::| - | – /) : []
  return [...new Set([label, ...parts].map(labelKey).filter(Boolean))]
}
