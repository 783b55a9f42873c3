// What is in the sign-up form: as it was typed, or as a choice of ours fills it in.

import { mostUsed, type Choices } from '../../subscribers/choices.ts'

/** The fields of a choice: readSignupChoices says which goes first. */
export interface TypedChoice {
  /** By slug; empty: the category has no frequency of its own. */
  frequency: Record<string, string>
  /** The slugs of the ticked categories. */
  categories: readonly string[]
  frequencyForAll: string
}

export interface Typed {
  email?: string
  /** undefined: the reader hasn't chosen. Empty: the site's zone. */
  timezone?: string
  /** undefined: the site's default choice. */
  choice?: TypedChoice
}

/** Most categories get the frequency for all, and the others one of their own. Pure. */
export function typedAs(choices: Choices): TypedChoice {
  const frequencyForAll = mostUsed(choices)
  return {
    frequency: Object.fromEntries(Object.entries(choices).filter(([, one]) => one !== frequencyForAll)),
    categories: Object.keys(choices),
    frequencyForAll,
  }
}

/** Whether a typed choice is what the form shows anyway. Pure. */
export function isUsual(typed: TypedChoice, usual: Choices): boolean {
  const own = ({ frequency }: TypedChoice) =>
    Object.entries(frequency)
      .filter(([, one]) => one !== '')
      .map((entry) => entry.join('='))
  const all = (choice: TypedChoice) => [choice.frequencyForAll, ...own(choice), ...choice.categories].toSorted().join()
  return all(typed) === all(typedAs(usual))
}
