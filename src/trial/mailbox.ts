// Stores the development mailbox: one file per mail in DATA_DIR/mailbox, with a first line for the list, followed by the exact
// bytes from SMTP. Files instead of rows, so that ten thousand test mails don't wait for the embedded database or slow it down,
// and so that web and worker processes on one machine share a mailbox.
//
// Only the newest 5,000 are kept. A file is written under another name and then renamed, so it is complete or missing.

import { open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import PostalMime, { type Email } from 'postal-mime'
import { makeFolder } from '../db/embedded-folder.ts'

export interface MailboxMessage {
  /** Sorts by arrival. */
  id: string
  from: string
  /** The recipient of the SMTP dialogue. */
  to: string
  subject: string
  receivedAt: string
}

const kept = 5000
/** Trimmed in groups, so that not every mail causes a deletion. */
const slack = 500
const idPattern = /^[0-9a-z]{9}-[0-9a-z]{1,7}-[0-9a-z]{5}$/

export class Mailbox {
  readonly #folder: string
  readonly #heads = new Map<string, MailboxMessage>()
  /** Mails since the last count. The first mail of a process counts. */
  #count = slack
  #sequence = 0
  #trimming: Promise<void> | null = null

  constructor(dataDir: string) {
    this.#folder = path.join(dataDir, 'mailbox')
    makeFolder(this.#folder)
  }

  /** Resolves once the mail is on the disk. */
  async add(bytes: Buffer, recipient: string, receivedAt: Date): Promise<MailboxMessage> {
    const { from, subject } = await readHeaders(bytes)
    const message = { id: this.#nextId(receivedAt), from, to: recipient, subject, receivedAt: receivedAt.toISOString() }
    const file = this.#file(message.id)
    await writeFile(`${file}.part`, Buffer.concat([Buffer.from(`${JSON.stringify(message)}\n`), bytes]), {
      mode: 0o600,
    })
    await rename(`${file}.part`, file)
    this.#heads.set(message.id, message)
    if (++this.#count >= slack && !this.#trimming) this.#trimming = this.#trim()
    return message
  }

  /** Newest first. `before`: only mails that arrived before that message. */
  async list(options: { limit?: number; before?: string } = {}): Promise<MailboxMessage[]> {
    const ids = (await this.#ids()).filter((id) => !options.before || id < options.before)
    const messages: MailboxMessage[] = []
    for (const id of ids.slice(0, options.limit ?? kept)) {
      const head = this.#heads.get(id) ?? (await this.#readHead(id))
      if (head) messages.push(head)
    }
    return messages
  }

  async find(id: string): Promise<{ message: MailboxMessage; bytes: Buffer } | undefined> {
    if (!idPattern.test(id)) return undefined
    try {
      const content = await readFile(this.#file(id))
      const end = content.indexOf(10)
      return {
        message: JSON.parse(content.toString('utf8', 0, end)) as MailboxMessage,
        bytes: content.subarray(end + 1),
      }
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw cause
    }
  }

  /** Resolves when no deletion is running. */
  async settled(): Promise<void> {
    await this.#trimming
  }

  #file(id: string): string {
    return path.join(this.#folder, `${id}.mail`)
  }

  /** Time, process, number: unique across processes, and in order of arrival within one. */
  #nextId(receivedAt: Date): string {
    this.#sequence = (this.#sequence + 1) % 36 ** 5
    const time = receivedAt.getTime().toString(36).padStart(9, '0')
    return `${time}-${process.pid.toString(36)}-${this.#sequence.toString(36).padStart(5, '0')}`
  }

  async #ids(): Promise<string[]> {
    const names = await readdir(this.#folder)
    return names
      .filter((name) => name.endsWith('.mail'))
      .map((name) => name.slice(0, -'.mail'.length))
      .filter((id) => idPattern.test(id))
      .sort()
      .reverse()
  }

  async #readHead(id: string): Promise<MailboxMessage | undefined> {
    try {
      await using file = await open(this.#file(id))
      const { buffer, bytesRead } = await file.read(Buffer.alloc(4096), 0, 4096, 0)
      const end = buffer.indexOf(10)
      if (end < 0 || end >= bytesRead) return (await this.find(id))?.message
      const head = JSON.parse(buffer.toString('utf8', 0, end)) as MailboxMessage
      this.#heads.set(id, head)
      return head
    } catch (cause) {
      // Another process may have deleted it since the folder was read.
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw cause
    }
  }

  async #trim(): Promise<void> {
    try {
      while (this.#count >= slack) {
        this.#count = 0
        const old = (await this.#ids()).slice(kept)
        for (let i = 0; i < old.length; i += 100) await Promise.all(old.slice(i, i + 100).map((id) => this.#forget(id)))
      }
    } catch {
      // The next trim tries again.
    }
    this.#trimming = null
  }

  async #forget(id: string): Promise<void> {
    await rm(this.#file(id), { force: true })
    this.#heads.delete(id)
  }
}

export function parseMail(bytes: Buffer): Promise<Email> {
  return PostalMime.parse(bytes)
}

/** The headers of a mail as text, up to the empty line. */
export function headOf(bytes: Buffer): Buffer {
  const end = bytes.indexOf('\r\n\r\n')
  return end < 0 ? bytes : bytes.subarray(0, end + 4)
}

async function readHeaders(bytes: Buffer): Promise<{ from: string; subject: string }> {
  const mail = await PostalMime.parse(headOf(bytes))
  const { name, address } = mail.from ?? {}
  return { from: (name ? `${name} <${address}>` : address) ?? '', subject: mail.subject ?? '' }
}
