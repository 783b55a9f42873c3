// Values that may mean that somebody must not be mailed, and that aren't understood: by column, with the first place. Any of them
// stops the import before the first row is written.

import { Refusal } from '../../base/errors.ts'

interface Doubt {
  file: string
  title: string
  line: number
  value: string
}

const mostShown = 10

export class Doubts {
  #found = new Map<string, Doubt>()

  note(doubt: Doubt): void {
    const before = this.#found.get(doubt.title)
    // A value says more than an empty column.
    if (before ? !before.value && doubt.value : this.#found.size < 100) this.#found.set(doubt.title, doubt)
  }

  /** `isOne`: there is only one file, which needn't be named. */
  throwIfAny(isOne: boolean): void {
    if (this.#found.size === 0) return
    const found = [...this.#found.values()].map(({ file, title, line, value }) => ({
      field: title,
      message: `${isOne ? '' : `${file}, `}line ${line}, column "${title}": ${value ? `"${value.slice(0, 80)}"` : 'empty'}`,
    }))
    const [first] = this.#found.values()
    const { title, value } = first!
    throw new Refusal(
      'invalid',
      [
        'Nothing was imported. This isn’t understood, and may mean that an address must not be mailed:',
        ...found.slice(0, mostShown).map(({ message }) => `  ${message}`),
        ...(found.length > mostShown ? [`  … and ${found.length - mostShown} more columns`] : []),
        `Say what it means (subscribed, pending, unsubscribed, bounced, complained, blocked or nothing): --map "${title}:${value.slice(0, 80)}=unsubscribed"`,
        `Say what the column is: --map "${title}=status" (or unsubscribed, bounced, tags, …)`,
        `If it says nothing about who may be mailed, leave it out: ${[...this.#found.keys()].map((one) => `--ignore-column "${one}"`).join(' ')}`,
      ].join('\n'),
      found,
    )
  }
}
