// Checkboxes for categories, and the ticked ones.

import type { Request } from 'express'
import { invalid } from '../../base/errors.ts'
import type { Category } from '../../db/schema.ts'
import { html, type Html } from '../html.ts'

/** `name`: of the form's field. */
export function categoryBoxes(categories: readonly Category[], ticked: readonly string[], name = 'categories'): Html {
  return html`<div class="choices">
    ${categories.map(
      (category) =>
        html`<label class="choice">
          <input
            type="checkbox"
            name="${name}"
            value="${category.slug}"
            ${ticked.includes(category.slug) && html`checked`}
          />
          <span>${category.name}</span>
        </label>`,
    )}
  </div>`
}

export function hiddenCategories(slugs: readonly string[]): Html {
  return html`${slugs.map((slug) => html`<input type="hidden" name="categories" value="${slug}" />`)}`
}

/** Of `?categories=politics&categories=investing`. */
export function queryCategories(request: Request): string[] {
  const value = request.query.categories
  const list: unknown[] = Array.isArray(value) ? value : [value]
  return list.filter((item): item is string => typeof item === 'string' && item !== '').slice(0, 200)
}

/** The categories of these slugs; refuses one that isn't offered. */
export function categoriesOf(slugs: readonly string[], offered: readonly Category[]): Category[] {
  return slugs.map((slug) => {
    const category = offered.find((each) => each.slug === slug)
    if (!category) throw invalid('categories', `There is no category ${slug.slice(0, 60)}.`)
    return category
  })
}

/** For links that keep the choice. */
export function categoryQuery(slugs: readonly string[]): string {
  return new URLSearchParams(slugs.map((slug) => ['categories', slug])).toString()
}
