// The parts of the documentation that are made from the code: tables of variables, commands and addresses, and .env.example.
// `npm run docs` writes them; tests/rules/docs.test.ts compares them.

import fs from 'node:fs'
import path from 'node:path'
import type { Command } from 'commander'
import { format } from 'prettier'
import { Registry } from 'prom-client'
import { systemClock } from '../../src/base/clock.ts'
import { readConfig } from '../../src/base/config.ts'
import { variables } from '../../src/base/variables.ts'
import { createOut } from '../../src/commands/out.ts'
import { buildProgram, runWords } from '../../src/commands/program.ts'
import type { Session } from '../../src/commands/session.ts'
import type { WebContext } from '../../src/web/web-context.ts'
import { routesOf } from './routes.ts'

const root = path.join(import.meta.dirname, '../..')

/** A session whose output is handed to `write`; enough for help. */
export function helpSession(write: (text: string) => void): Session {
  const sink = { isTty: false, isClosed: false, write: (text: string) => (write(text), true) }
  return {
    out: createOut(sink as never, sink as never),
    cwd: root,
    signal: new AbortController().signal,
    isInServer: false,
    runWords,
    config: () => readConfig({}),
    open: () => Promise.reject(new Error('help needs no database')),
    confirm: () => Promise.resolve(false),
  }
}

/** What each generated file should hold, by its path: the text around the generated parts stays as it is. */
export async function generatedFiles(): Promise<Record<string, string>> {
  return {
    'docs/configuration.md': await withPart('docs/configuration.md', 'configuration', variableTable()),
    'docs/cli.md': await withPart('docs/cli.md', 'commands', commandTables()),
    'docs/addresses.md': await withPart('docs/addresses.md', 'addresses', addressTables()),
    '.env.example': envExample(),
  }
}

async function withPart(file: string, name: string, part: string): Promise<string> {
  const text = fs.readFileSync(path.join(root, file), 'utf8')
  const [start, end] = [`<!-- ${name}: made by npm run docs -->`, `<!-- end of ${name} -->`]
  const [before, rest] = text.split(start)
  const after = rest?.split(end)[1]
  if (after === undefined) throw new Error(`${file} has no place for ${name}`)
  return format(`${before}${start}\n\n${part}\n\n${end}${after}`, { parser: 'markdown', printWidth: 120 })
}

const defaultOf = (schema: (typeof variables)[keyof typeof variables]): string =>
  String(schema.safeParse(undefined).data ?? '')

function variableTable(): string {
  const rows = Object.entries(variables).map(([name, schema]) => {
    const fallback = defaultOf(schema)
    return [`\`${name}\``, schema.description!, fallback && `\`${fallback}\``]
  })
  return table(['Variable', 'What it does', 'Default'], rows)
}

function commandTables(): string {
  const program = buildProgram(
    helpSession(() => {}),
    () => async () => {},
  )
  const single = program.commands.filter((command) => command.commands.length === 0)
  const groups = program.commands.filter((command) => command.commands.length > 0)
  const section = (title: string, about: string, commands: readonly Command[]) =>
    `## ${title}\n\n${about}\n\n${table(
      ['Command', 'What it does'],
      commands.map((command) => [`\`${usageOf(command)}\``, command.description()]),
    )}`
  return [
    section('Running it', 'These commands have no group.', single),
    ...groups.map((group) => section(`\`${group.name()}\``, group.description(), leavesOf(group))),
  ].join('\n\n')
}

const mountTitles: Record<string, string> = {
  '/': 'Pages, and what links in mails open',
  '/websub': 'WebSub',
  '/inbound': 'Webhooks of providers',
  '/api/docs': 'Reference of the API',
  '/api/v1': 'API',
  '/admin': 'Console',
  '/gazette': 'Sample site of the trial',
  '/mailbox': 'Mailbox of the trial',
}

/** Every route, by what it is mounted at. No route is called, so the routers need no database. */
function addressTables(): string {
  const config = readConfig({ SECRET_KEY: 'x'.repeat(32) })
  const parts = { config, clock: systemClock, registry: new Registry(), mailbox: {} }
  const routes = routesOf(parts as unknown as WebContext)
  const mountOf = (address: string) =>
    Object.keys(mountTitles).findLast((mount) => mount !== '/' && `${address}/`.startsWith(`${mount}/`)) ?? '/'
  return [...Map.groupBy(routes, ({ path: address }) => mountOf(address))]
    .map(([mount, group]) => {
      const rows = [...Map.groupBy(group, ({ path: address }) => address)].map(([address, same]) => [
        `\`${address}\``,
        same.map(({ method }) => method.toUpperCase()).join(', '),
      ])
      return `## ${mountTitles[mount]}\n\n${table(['Address', 'Methods'], rows)}`
    })
    .join('\n\n')
}

function leavesOf(command: Command): Command[] {
  return command.commands.length === 0 ? [command] : command.commands.flatMap((child) => leavesOf(child))
}

/** `feed add <url> [--category <name...>]` */
function usageOf(command: Command): string {
  const names: string[] = []
  for (let each: Command | null = command; each?.parent; each = each.parent) names.unshift(each.name())
  const args = command.registeredArguments.map((argument) =>
    argument.required
      ? `<${argument.name()}${argument.variadic ? '...' : ''}>`
      : `[${argument.name()}${argument.variadic ? '...' : ''}]`,
  )
  const options = command.options.map((option) => (option.mandatory ? option.flags : `[${option.flags}]`))
  return [...names, ...args, ...options].join(' ')
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

function envExample(): string {
  const lines = Object.entries(variables).map(([name, schema]) => {
    const fallback = defaultOf(schema)
    return `# ${schema.description!}\n${name}=${/[ #]/.test(fallback) ? `"${fallback}"` : fallback}\n`
  })
  return `# Copy this file to .env, which every command reads. It holds every variable with its default, if there is one. The trial needs
# none. Outside the trial SITE_NAME, SMTP_URL, PUBLIC_URL, SECRET_KEY, MAIL_FROM and POSTAL_ADDRESS are required. An empty variable
# counts as unset.

${lines.join('\n')}
# Read by compose.yaml only: the password of the Postgres that it starts, letters and digits
POSTGRES_PASSWORD=
`
}
