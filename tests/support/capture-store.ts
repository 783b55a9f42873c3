// The file of a capture server: what it has taken, on the disk before it says so.

import { open } from 'node:fs/promises'
import { type Captured, messageIdOf } from './capture-server.ts'

export type Keep = (mail: Captured) => Promise<void>

/** One line a mail, on the disk before the mail is answered; mails that come together share an fsync. */
export async function openStore(file: string): Promise<{ keep: Keep; close(): Promise<void> }> {
  const handle = await open(file, 'a')
  let pending = ''
  let writing: Promise<void> | null = null
  let next: Promise<void> | null = null
  const write = async (): Promise<void> => {
    const lines = pending
    pending = ''
    await handle.write(lines)
    await handle.datasync()
  }
  return {
    keep: ({ from, to, message }) => {
      pending += `${JSON.stringify({ from, to, messageId: messageIdOf(message) })}\n`
      // Whoever comes while a write is under way waits for the next one.
      next ??= (writing ?? Promise.resolve()).then(() => {
        next = null
        writing = write()
        return writing
      })
      return next
    },
    close: async () => {
      await (next ?? writing)
      await handle.close()
    },
  }
}
