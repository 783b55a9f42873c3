// A small IMAP server with TLS on loopback: folders in memory, real dialogue. It knows what the client of src/inbound asks for; the
// rest is BAD. Tests put messages in, look at the folders, and decide what it can do.

import { once } from 'node:events'
import type { Socket } from 'node:net'
import tls from 'node:tls'
import { readCertificate } from './tls-relay.ts'

export interface ImapMessage {
  uid: number
  flags: Set<string>
  at: Date
  raw: Buffer
}

export class ImapServer {
  /** `localhost` is whom the certificate names. */
  readonly user = 'bounces@news.example'
  readonly password = 'p@ss/word%'
  readonly folders = new Map<string, ImapMessage[]>([
    ['INBOX', []],
    ['Bounces', []],
  ])
  capabilities = ['IMAP4rev1', 'IDLE', 'MOVE', 'UIDPLUS']
  uidValidity = 1
  mayCreate = true
  /** Every command as it came, but for passwords. */
  readonly commands: string[] = []
  /** Awaited before a command is answered. */
  before: (command: string) => Promise<void> = async () => {}
  #sockets = new Map<Socket, ImapConnection>()
  #server = tls.createServer({ key: readCertificate('key'), cert: readCertificate('trusted') }, (socket) => {
    const connection = new ImapConnection(this, socket)
    this.#sockets.set(socket, connection)
    socket.on('error', () => {}).on('close', () => this.#sockets.delete(socket))
  })
  #uids = 0
  port = 0

  async listen(): Promise<this> {
    this.#server.listen(this.port, '127.0.0.1')
    await once(this.#server, 'listening')
    this.port = (this.#server.address() as { port: number }).port
    return this
  }

  /** For INBOUND_IMAP. */
  url(folder = 'Bounces'): string {
    const sign = `${encodeURIComponent(this.user)}:${encodeURIComponent(this.password)}`
    return `imaps://${sign}@localhost:${this.port}/${folder}`
  }

  get connections(): number {
    return this.#sockets.size
  }

  deliver(raw: string | Buffer, options: { folder?: string; at?: Date } = {}): ImapMessage {
    const folder = options.folder ?? 'Bounces'
    const text = Buffer.isBuffer(raw) ? raw : Buffer.from(raw.replace(/\r?\n/g, '\r\n'))
    const message = { uid: ++this.#uids, flags: new Set<string>(), at: options.at ?? new Date(), raw: text }
    this.folders.get(folder)!.push(message)
    for (const connection of this.#sockets.values()) connection.tellExists(folder)
    return message
  }

  uidsIn(folder: string): number[] {
    return (this.folders.get(folder) ?? []).map(({ uid }) => uid)
  }

  /** As a server that is restarted, or a line that breaks. */
  hangUp(): void {
    for (const socket of this.#sockets.keys()) socket.destroy()
  }

  async close(): Promise<void> {
    this.hangUp()
    if (this.#server.listening) await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

class ImapConnection {
  #server: ImapServer
  #socket: Socket
  #selected: string | null = null
  #idleTag: string | null = null
  #told = 0
  #pending = Buffer.alloc(0)
  #working = Promise.resolve()

  constructor(server: ImapServer, socket: Socket) {
    this.#server = server
    this.#socket = socket
    this.#send(`* OK [CAPABILITY ${server.capabilities.join(' ')}] ready`)
    socket.on('data', (chunk: Buffer) => {
      this.#pending = Buffer.concat([this.#pending, chunk])
      for (let line = this.#takeLine(); line !== null; line = this.#takeLine()) {
        const text = line
        this.#working = this.#working.then(() => this.#answer(text))
      }
    })
  }

  tellExists(folder: string): void {
    if (this.#selected === folder && this.#idleTag !== null) this.#tellNew()
  }

  /** What has come since the client was last told. */
  #tellNew(): void {
    const { length } = this.#messages()
    if (length > this.#told) this.#send(`* ${length} EXISTS`)
    this.#told = length
  }

  /** Literals that a client announces aren't among what the tests need. */
  #takeLine(): string | null {
    const end = this.#pending.indexOf('\r\n')
    if (end < 0) return null
    const line = this.#pending.subarray(0, end).toString()
    this.#pending = this.#pending.subarray(end + 2)
    return line
  }

  #messages(): ImapMessage[] {
    return this.#server.folders.get(this.#selected ?? '') ?? []
  }

  async #answer(line: string): Promise<void> {
    if (this.#idleTag !== null) {
      this.#send(`${this.#idleTag} OK done`)
      this.#idleTag = null
      return
    }
    const [, tag = '*', command = '', rest = ''] = /^(\S+) ((?:UID )?\S+) ?(.*)$/i.exec(line) ?? []
    const name = command.toUpperCase()
    const shown = name === 'LOGIN' || name === 'AUTHENTICATE' ? name : `${name} ${rest}`.trim()
    this.#server.commands.push(shown)
    await this.#server.before(shown)
    if (this.#socket.destroyed) return
    const lines = this.#do(name, rest, tag)
    if (lines) for (const each of lines) this.#send(each)
    if (name === 'LOGOUT') this.#socket.end()
  }

  #do(name: string, rest: string, tag: string): (string | Buffer)[] | null {
    const { folders, capabilities } = this.#server
    const ok = (...lines: (string | Buffer)[]) => [...lines, `${tag} OK ${name} completed`]
    const no = (why: string) => [`${tag} NO ${why}`]
    const chosen = () => {
      const uids = inSet(rest.split(' ')[0]!, this.#messages())
      return this.#messages().filter(({ uid }) => uids(uid))
    }
    switch (name) {
      case 'CAPABILITY':
        return ok(`* CAPABILITY ${capabilities.join(' ')}`)
      case 'LOGIN': {
        const [user, password] = words(rest)
        const isKnown = user === this.#server.user && password === this.#server.password
        return isKnown ? ok() : no('[AUTHENTICATIONFAILED] Invalid credentials')
      }
      case 'ID':
        return ok('* ID NIL')
      case 'NAMESPACE':
        return ok('* NAMESPACE (("" "/")) NIL NIL')
      case 'LIST': {
        const [, pattern] = words(rest)
        if (pattern === '') return ok('* LIST (\\Noselect) "/" ""')
        const named = [...folders.keys()].filter((folder) => pattern === '*' || pattern === folder)
        return ok(...named.map((folder) => `* LIST () "/" "${folder}"`))
      }
      case 'LSUB':
      case 'NOOP':
      case 'SUBSCRIBE':
        return ok()
      case 'CREATE':
        if (!this.#server.mayCreate) return no('[NOPERM] no')
        folders.set(words(rest)[0]!, [])
        return ok()
      case 'EXAMINE':
      case 'SELECT': {
        const folder = words(rest)[0]!
        if (!folders.has(folder)) return no('[NONEXISTENT] no such folder')
        this.#selected = folder
        this.#told = this.#messages().length
        const next = Math.max(0, ...this.#messages().map(({ uid }) => uid)) + 1
        return [
          `* ${this.#messages().length} EXISTS`,
          '* FLAGS (\\Seen \\Answered \\Flagged \\Deleted)',
          `* OK [UIDVALIDITY ${this.#server.uidValidity}] ok`,
          `* OK [UIDNEXT ${next}] ok`,
          `${tag} OK [READ-WRITE] selected`,
        ]
      }
      case 'UID SEARCH': {
        const uids = inSet(/UID (\S+)/i.exec(rest)?.[1] ?? '1:*', this.#messages())
        const since = Date.parse(/SINCE "?(\S+?)"?(?: |$)/i.exec(rest)?.[1] ?? '1-Jan-1970')
        const found = this.#messages().filter(({ uid, at }) => uids(uid) && at.getTime() >= since)
        return ok(`* SEARCH ${found.map(({ uid }) => uid).join(' ')}`.trim())
      }
      case 'UID FETCH':
        return ok(
          ...chosen().flatMap((message) => {
            const most = Number(/<0\.(\d+)>/.exec(rest)?.[1] ?? Infinity)
            const body = message.raw.subarray(0, most)
            const number = this.#messages().indexOf(message) + 1
            const partial = Number.isFinite(most) ? '<0>' : ''
            const head = `* ${number} FETCH (UID ${message.uid} BODY[]${partial} {${body.length}}\r\n`
            return [Buffer.concat([Buffer.from(head), body, Buffer.from(')')])]
          }),
        )
      case 'UID STORE':
        for (const message of chosen()) for (const [flag] of rest.matchAll(/\\\w+/g)) message.flags.add(flag)
        return ok()
      case 'UID MOVE': {
        const target = folders.get(words(rest.slice(rest.indexOf(' ') + 1))[0]!)
        if (!target || !capabilities.includes('MOVE')) return no('[TRYCREATE] no such folder')
        const gone = chosen().map((message) => {
          const at = this.#messages().indexOf(message)
          target.push(...this.#messages().splice(at, 1))
          this.#told--
          return `* ${at + 1} EXPUNGE`
        })
        return ok(...gone)
      }
      case 'IDLE':
        this.#idleTag = tag
        this.#send('+ idling')
        this.#tellNew()
        return null
      case 'LOGOUT':
        return ok('* BYE')
      default:
        return [`${tag} BAD unknown command`]
    }
  }

  #send(line: string | Buffer): void {
    if (this.#socket.writable) this.#socket.write(Buffer.concat([Buffer.from(line), Buffer.from('\r\n')]))
  }
}

/** Atoms and quoted strings. */
function words(text: string): string[] {
  return [...text.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map(
    ([, quoted, atom]) => quoted?.replace(/\\(.)/g, '$1') ?? atom!,
  )
}

/** Whether a UID is in a set: `3`, `4:*`, `1,5:7`. `*` is the highest there is. */
function inSet(set: string, messages: readonly ImapMessage[]): (uid: number) => boolean {
  const highest = Math.max(0, ...messages.map(({ uid }) => uid))
  const ranges = set.split(',').map((range) => {
    const ends = range.split(':').map((end) => (end === '*' ? highest : Number(end)))
    return [Math.min(...ends), Math.max(...ends)] as const
  })
  return (uid) => ranges.some(([from, to]) => uid >= from && uid <= to)
}
