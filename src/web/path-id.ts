// Ids in addresses.

/** The largest id of tables that count in `int`: articles, categories, feeds, editors, keys. Others count in bigint. */
export const largestInt = 2_147_483_647

/** The text as a whole number; undefined: no row can have that id. */
export function readId(text: unknown, largest = Number.MAX_SAFE_INTEGER): number | undefined {
  if (typeof text !== 'string' || !/^[1-9]\d{0,15}$/.test(text)) return undefined
  const id = Number(text)
  return id <= largest ? id : undefined
}
