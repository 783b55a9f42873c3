// One connection to the mailbox with returned mail. Reads new mails in order. Our mails are moved to another folder, or marked as
// read if they can't be moved. Other mails aren't changed.
//
// A mail is moved after its row is committed. The position (UIDVALIDITY and UID) is stored after the move. After a kill in
// between, one mail is read again, which is recognised.

import { ImapFlow } from 'imapflow'
import type { ImapMailbox } from '../base/inbound-ways.ts'

/** Text that a later server added comes first; the rest of a larger mail isn't read. */
const mostBytes = 10_000_000
/** Older mail no longer counts. */
const daysBack = 31
const uidsAtOnce = 200
/** Our mails are moved to this folder, next to the one that is read. */
export const doneFolder = 'Broadsheet'

export interface Progress {
  uidValidity: string
  uid: number
}

export interface Keeper {
  /** The mail is committed when the promise resolves. */
  take(raw: Buffer): Promise<'kept' | 'not ours'>
  progress(): Promise<Progress | null>
  setProgress(progress: Progress): Promise<void>
  now(): Date
}

export class ImapSession {
  #mailbox: ImapMailbox
  #keeper: Keeper
  #client: ImapFlow
  #target: string | null = null
  /** Set when new mail may have arrived since the last look. */
  #isNews = true
  #wake: (() => void) | null = null

  constructor(mailbox: ImapMailbox, keeper: Keeper) {
    this.#mailbox = mailbox
    this.#keeper = keeper
    this.#client = openImap(mailbox)
    const look = () => {
      this.#isNews = true
      this.#wake?.()
    }
    this.#client.on('exists', look)
    this.#client.on('close', look)
  }

  async open(): Promise<void> {
    await this.#client.connect()
    await this.#client.mailboxOpen(this.#mailbox.folder)
    this.#target = await this.#findTarget()
  }

  /** Reads until the signal, or until the connection ends. */
  async run(signal: AbortSignal): Promise<void> {
    const stop = () => this.#wake?.()
    signal.addEventListener('abort', stop)
    try {
      while (!signal.aborted && this.#client.usable) {
        this.#isNews = false
        await this.#readNew(signal)
        await this.#news(signal)
      }
    } finally {
      signal.removeEventListener('abort', stop)
    }
  }

  async close(): Promise<void> {
    const cut = setTimeout(() => this.#client.close(), 2000)
    await this.#client.logout().catch(() => {})
    clearTimeout(cut)
    this.#client.close()
  }

  /** Closes the connection at once. */
  cut(): void {
    this.#client.close()
  }

  /** Meanwhile the library idles, or polls every two minutes if the server can't. */
  async #news(signal: AbortSignal): Promise<void> {
    if (this.#isNews || signal.aborted) return
    await new Promise<void>((resolve) => {
      this.#wake = resolve
    })
    this.#wake = null
  }

  async #readNew(signal: AbortSignal): Promise<void> {
    const { mailbox } = this.#client
    if (!mailbox) throw new Error('The folder was closed.')
    const uidValidity = String(mailbox.uidValidity)
    const known = await this.#keeper.progress()
    const after = known?.uidValidity === uidValidity ? known.uid : 0
    const since = new Date(this.#keeper.now().getTime() - daysBack * 86_400_000)
    const found = await this.#client.search({ uid: `${after + 1}:*`, since }, { uid: true })
    // "5:*" names the last message even if its UID is below 5.
    const uids = (found || []).filter((uid) => uid > after).toSorted((a, b) => a - b)
    for (let from = 0; from < uids.length; from += uidsAtOnce)
      for (const uid of uids.slice(from, from + uidsAtOnce)) {
        if (signal.aborted) return
        await this.#read(uid)
        await this.#keeper.setProgress({ uidValidity, uid })
      }
  }

  async #read(uid: number): Promise<void> {
    const message = await this.#client.fetchOne(String(uid), { source: { maxLength: mostBytes } }, { uid: true })
    // It was moved by another program.
    if (!message || !message.source) return
    if ((await this.#keeper.take(message.source)) === 'not ours') return
    const isMoved =
      this.#target !== null && (await this.#client.messageMove(String(uid), this.#target, { uid: true })) !== false
    if (!isMoved) await this.#client.messageFlagsAdd(String(uid), ['\\Seen'], { uid: true })
  }

  /**
   * null: the server can't move, or doesn't allow creating a folder. Without MOVE the library would copy, delete and expunge,
   * which also removes messages that others have marked as deleted.
   */
  async #findTarget(): Promise<string | null> {
    const client = this.#client
    if (!client.capabilities.has('MOVE')) return null
    const found = (await client.list()).find(({ name }) => name === doneFolder)
    if (found) return found.path
    return client.mailboxCreate([doneFolder]).then(
      ({ path }) => path,
      () => null,
    )
  }
}

/** Also for `doctor`. */
export function openImap({ host, port, user, password }: ImapMailbox): ImapFlow {
  const client = new ImapFlow({
    host,
    port,
    secure: true,
    auth: { user, pass: password },
    logger: false,
    autoIdleDelay: 1000,
    maxIdleTime: 5 * 60_000,
    connectionTimeout: 20_000,
    greetingTimeout: 20_000,
    maxLiteralSize: 2 * mostBytes,
    maxResponseSize: 3 * mostBytes,
    maxLineLength: mostBytes,
  })
  // Errors are also reported by the running command.
  client.on('error', () => {})
  return client
}
