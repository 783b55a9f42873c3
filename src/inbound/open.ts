// A mail as a reader sees it: its headers, its text, its parts. What senders get wrong is repaired first.

import PostalMime from 'postal-mime'

/** More isn't looked at: what matters comes first. */
export const mostBytes = 256 * 1024
const mostDepth = 20

export interface Part {
  type: string
  text: string
}

export interface OpenMail {
  /** By lower-case name, in their order. */
  headers: Map<string, string[]>
  text: string
  parts: Part[]
}

export async function openMail(raw: Uint8Array): Promise<OpenMail> {
  const bytes = repairLines(raw.subarray(0, mostBytes))
  const email = await PostalMime.parse(bytes, {
    forceRfc822Attachments: true,
    attachmentEncoding: 'utf8',
    maxNestingDepth: mostDepth,
  })
  const headers = new Map<string, string[]>()
  for (const { key, value } of email.headers) headers.set(key, [...(headers.get(key) ?? []), value])
  return {
    headers,
    text: email.text ?? email.html ?? '',
    parts: email.attachments.map(({ mimeType, content }) => ({ type: mimeType, text: String(content) })),
  }
}

/** A bare CR ends a line too. */
function repairLines(bytes: Uint8Array): Uint8Array {
  const repaired = bytes.slice()
  for (let i = 0; i < repaired.length; i++) if (repaired[i] === 13 && repaired[i + 1] !== 10) repaired[i] = 10
  return repaired
}
