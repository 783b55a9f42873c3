import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { returnPath } from '../../src/delivery/return-path.ts'
import { inboundExplain } from '../../src/commands/inbound/explain.ts'
import { bounce, ownMail } from '../support/bounces.ts'

const config = {
  secretKeys: ['s'.repeat(32)],
  mail: {
    from: { address: 'News@paper.example' },
    fromSystem: { address: 'system@paper.example' },
    replyTo: null,
    bounceDomain: null,
  },
} as unknown as Parameters<typeof inboundExplain>[0]

async function explain(mails: Record<string, string>): Promise<{ exit: number; printed: unknown[]; errors: string[] }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'broadsheet-explain-'))
  const printed: unknown[] = []
  const errors: string[] = []
  for (const [name, mail] of Object.entries(mails)) await writeFile(path.join(folder, name), mail)
  const exit = await inboundExplain(
    config,
    { files: [...Object.keys(mails), 'none.eml'], json: true, resolve: (file) => path.join(folder, file) },
    {
      print: (line) => printed.push(JSON.parse(line)),
      error: (line) => errors.push(line),
      progress: () => {},
      isTty: false,
    },
  )
  await rm(folder, { recursive: true })
  return { exit, printed, errors }
}

test('inbound explain says what it understands of each file, and which delivery only where its MAC proves it', async () => {
  const body = `<ada@a.example>: 550 5.1.1 User unknown\n\n--- Below this line is a copy of the message.\n\n${ownMail}`
  const genuine = returnPath(config.secretKeys, 'bounces.paper.example', 4711)
  const { exit, printed, errors } = await explain({
    'forged.eml': bounce({ body }),
    'genuine.eml': bounce({ body: body.replace(/b-3f-[a-z]+@bounces.paper.example/, genuine) }),
    'person.eml': bounce({ from: 'ada@a.example', subject: 'Re: News', body: 'Thank you.' }),
  })
  const reported = { recipient: 'ada@a.example', status: '5.1.1', class: 'hard', reason: 'user_unknown' }
  const text = '<ada@a.example>: 550 5.1.1 User unknown'
  assert.deepEqual(printed, [
    { file: 'forged.eml', kind: 'bounce', reports: [{ ...reported, delivery: null, text }] },
    { file: 'genuine.eml', kind: 'bounce', reports: [{ ...reported, delivery: 4711, text }] },
    { file: 'person.eml', kind: 'other', reports: [] },
    { file: 'none.eml', error: "The file can't be opened (ENOENT)." },
  ])
  assert.equal(exit, 1)
  assert.deepEqual(errors, ["none.eml: The file can't be opened (ENOENT)."])
})
