// `feed import`. Returns the exit code.

import { readFile, stat } from 'node:fs/promises'
import { invalid, Refusal } from '../../base/errors.ts'
import type { Context } from '../../db/context.ts'
import { whyNotOpened } from './articles.ts'
import { mostFeedBytes } from '../../articles/feed-formats.ts'
import { importFeeds, importInWords, planImport } from '../../articles/feed-import.ts'
import type { ListedFeed } from '../../articles/opml.ts'
import { parser } from '../../articles/parser.ts'

interface Out {
  print(line: string): void
  /** Whether a person watches. */
  isTty: boolean
}

export interface FeedImportArgs {
  /** A path that can be opened. */
  file: string
  dryRun?: boolean
  yes?: boolean
  json?: boolean
}

/** Prints a report first. 1: nothing was added. */
export async function feedImport(
  ctx: Context,
  args: FeedImportArgs,
  out: Out,
  confirm: (question: string) => Promise<boolean>,
): Promise<number> {
  const listed = await readList(args.file)
  const planned = await planImport(ctx, listed)
  for (const { url, title, categories, why } of planned.feeds)
    if (args.json) out.print(JSON.stringify({ event: 'listed', url, title, categories, isAdded: why === null, why }))
    else out.print(`  ${why === null ? 'add ' : 'skip'}  ${url}  ${why ?? (categories.join(', ') || 'no category')}`)
  const isPlan = args.dryRun ?? false
  if (!isPlan && !args.json) out.print(importInWords(planned, true))
  // Without a terminal nobody can answer, so calling the command is the confirmation.
  if (!isPlan && !args.yes && out.isTty && !(await confirm('Import them?')))
    throw new Refusal('conflict', 'Nothing was imported. Say yes at the prompt, or add --yes.')
  const done = isPlan ? planned : await importFeeds(ctx, listed, 'cli')
  const added = done.feeds.filter(({ why }) => why === null).length
  const duplicates = done.feeds.filter(({ isDuplicate }) => isDuplicate).length
  const { newCategories } = done
  const counts = { added, duplicates, refused: done.feeds.length - added - duplicates, newCategories }
  if (args.json) out.print(JSON.stringify({ event: isPlan ? 'would-import' : 'imported', ...counts }))
  else out.print(importInWords(done, isPlan))
  return added > 0 ? 0 : 1
}

async function readList(file: string): Promise<ListedFeed[]> {
  let bytes: Uint8Array
  try {
    if ((await stat(file)).size > mostFeedBytes) throw invalid('FILE', `${file}: It is larger than 10 MB.`)
    bytes = await readFile(file)
  } catch (error) {
    if (error instanceof Refusal) throw error
    throw invalid('FILE', `${file}: ${whyNotOpened(error)}`)
  }
  const listed = await parser.feedList(bytes)
  if (typeof listed === 'string') throw invalid('FILE', `${file}: ${listed}`)
  return listed
}
