// The English messages, which every other language follows. Their keys are the type of all keys, so a missing one is a type error.

import archive from './en/archive.json' with { type: 'json' }
import common from './en/common.json' with { type: 'json' }
import digest from './en/digest.json' with { type: 'json' }
import embed from './en/embed.json' with { type: 'json' }
import form from './en/form.json' with { type: 'json' }
import mails from './en/mails.json' with { type: 'json' }
import preferences from './en/preferences.json' with { type: 'json' }
import site from './en/site.json' with { type: 'json' }

const areas = { common, form, preferences, archive, embed, site, mails, digest }

/** The files of a language: `de/form.json` and so on. */
export const areaNames = Object.keys(areas)

export const english = { ...common, ...form, ...preferences, ...archive, ...embed, ...site, ...mails, ...digest }

/** `form.subscribe`: the area, then the name. */
export type Key = keyof typeof english

export const isKey = (key: string): key is Key => Object.hasOwn(english, key)
