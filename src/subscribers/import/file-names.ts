// A list of people who unsubscribed often says so only in its file name.

import type { Standing } from './standing.ts'
import { plain } from './words.ts'

/**
 * What the name of a file says about everybody in it, such as `unsubscribed_members_export.csv`; null: nothing. Only names that
 * forbid mail count. Pure.
 */
export function standingOfFile(name: string): Standing | null {
  const words = plain(name.replace(/\.\w+$/, ''))
  return fileNames.find(([pattern]) => pattern.test(words))?.[1] ?? null
}

const fileNames: [RegExp, Standing][] = [
  [/complain|\bspam\b|beschwerde|plaintes?\b|quejas?\b|شكاوى|شكوى/, 'complained'],
  [
    /black ?list|block ?list|blocked|suppress|gesperrt|sperrliste|liste noire|lista negra|do not (mail|contact)|محظور|القائمه السوداء/,
    'blocked',
  ],
  [/\bcleaned\b|bounce|undeliver|unzustellbar|rebonds?\b|rebotad|مرتد/, 'bounced'],
  [
    /unsub|\bnon ?subscri|opt(ed)? ?outs?\b|abgemeldet|abmeldung|desabonn|desinscri|de baja|\bbajas\b|cancell?ed|disiscritt|afgemeld|uitgeschreven|غير مشترك|الغاء/,
    'unsubscribed',
  ],
  [/unconfirmed|not confirmed|\bpending\b|unbestatigt|non confirme|pendientes?\b|غير موكد/, 'pending'],
]
