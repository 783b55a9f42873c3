// Parses the variables about returned mail.

export interface ImapMailbox {
  /** Shown on screen: host:port, never the password. */
  name: string
  host: string
  port: number
  user: string
  password: string
  folder: string
}

/** A string is a sentence that says what is wrong. It never quotes the address. */
export function parseImap(given: string): ImapMailbox | string {
  const url = URL.parse(given)
  if (!url || url.protocol !== 'imaps:') return 'must look like imaps://user:password@host/Folder'
  if (!url.hostname) return 'has no host'
  if (!url.username || !url.password) return 'needs a user name and a password: imaps://user:password@host/Folder'
  if (url.search || url.hash) return 'takes no options'
  const port = url.port ? Number(url.port) : 993
  try {
    return {
      name: `${url.hostname}:${port}`,
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port,
      user: decodeURIComponent(url.username),
      password: decodeURIComponent(url.password),
      folder: decodeURIComponent(url.pathname.replace(/^\/|\/$/g, '')) || 'INBOX',
    }
  } catch {
    return 'the folder must be percent-encoded: a space as %20, a percent sign as %25'
  }
}

const snsTopic = /^arn:(aws|aws-cn|aws-us-gov):sns:([a-z]{2}(?:-[a-z]+)+-\d{1,2}):\d{12}:[\w-]{1,256}(?:\.fifo)?$/

export function isSnsTopic(arn: string): boolean {
  return snsTopic.test(arn)
}

/** AWS's host in the region of a topic; null: not a topic. */
export function snsHostOf(arn: string): string | null {
  const [, partition, region] = snsTopic.exec(arn) ?? []
  return region ? `sns.${region}.amazonaws.com${partition === 'aws-cn' ? '.cn' : ''}` : null
}
