// Subject and preheader of one edition in an editor's own words.

import assert from 'node:assert/strict'
import { readSenderWords } from '../../src/digests/sender-words.ts'
import { openApi } from '../support/keys.ts'
import { story } from '../support/house.ts'
import { addCategories, subscribeFully } from '../support/readers.ts'

story(
  'a manual digest takes its words from who triggers it, and bad ones are refused by their field',
  async (house) => {
    await addCategories(house)
    await subscribeFully(house, 'ada@example.com')
    const api = await openApi(house)
    const post = (body: object) => api('post', '/editions').send(body)
    const words = { subject: '{weekday}: {stories}', preheader: 'ü {lead}' }
    const made = await post({ kind: 'manual', ...words }).expect(201)
    const { content } = await house.db
      .selectFrom('editions')
      .select('content')
      .where('id', '=', made.body.id)
      .executeTakeFirstOrThrow()
    assert.deepEqual(content, words)
    assert.deepEqual(readSenderWords(content), words)
    for (const subject of ['{nothing}', 'a\r\nBcc: eve@evil.example', 'x'.repeat(201)]) {
      const refused = await post({ kind: 'manual', subject })
      assert.ok([400, 409].includes(refused.status), JSON.stringify(refused.body))
      assert.match(JSON.stringify(refused.body), /subject/)
    }
    const patch = await api('patch', `/editions/${made.body.id}`).send({ subject: 'x' })
    assert.equal(patch.status, 409, 'one that doesn’t wait')
  },
)
