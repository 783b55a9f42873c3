// Categories of feeds, by name: existing ones, and those that must be created.

import type { Trx } from '../db/connect.ts'
import type { Category } from '../db/schema.ts'
import { insertCategory } from './categories.ts'
import { listCategories } from './store.ts'

export class NamedCategories {
  readonly #before: readonly Category[]
  readonly #all: Category[]

  constructor(before: readonly Category[]) {
    this.#before = before
    this.#all = [...before]
  }

  static async read(trx: Trx): Promise<NamedCategories> {
    return new NamedCategories(await listCategories(trx, { withRetired: true }))
  }

  /** Existing ones, including retired: with the same name, or with a slug that was given before. */
  find(name: string, slug: string): Category | undefined {
    return this.#all.find((our) => sameName(our.name, name)) ?? this.#before.find((our) => our.slug === slug)
  }

  async make(trx: Trx, category: { name: string; slug: string; description?: string }, now: Date): Promise<Category> {
    const made = await insertCategory(trx, { ...category, slug: this.#unused(category.slug) }, now)
    this.#all.push(made)
    return made
  }

  /** Names in other scripts may lead to the same slug. */
  #unused(slug: string, n = 1): string {
    const tried = n === 1 ? slug : `${slug.slice(0, 56)}-${n}`
    return this.#all.some((our) => our.slug === tried) ? this.#unused(slug, n + 1) : tried
  }
}

export function sameName(one: string, other: string): boolean {
  const plain = (text: string) => text.normalize('NFKC').toLowerCase().replace(/\s+/g, ' ').trim()
  return plain(one) === plain(other)
}
