// Webhooks of providers through HTTP: what is verified is kept once, whatever else is posted is not.

import assert from 'node:assert/strict'
import type { FetchResult } from '../../src/articles/safe-fetch.ts'
import { purgeInboundTokens } from '../../src/inbound/webhooks.ts'
import { type House, story } from '../support/house.ts'
import { readCertificate } from '../support/tls-relay.ts'
import {
  certificateUrl,
  mailgunFailure,
  mailgunKey,
  mailgunPost,
  sesBounce,
  snsMessage,
  topic,
} from '../support/webhooks.ts'

const env = { INBOUND_SES_TOPIC: topic, INBOUND_MAILGUN_KEY: mailgunKey }
const who = 'ada@paper.example'

/** What AWS is asked for, by each test. */
const asked: string[] = []
let isAwsDown = false
const fetchFromSns = async (url: string): Promise<FetchResult> => {
  asked.push(url)
  if (isAwsDown) return { outcome: 'failed', reason: 'The connection was refused.' }
  const bytes = url === certificateUrl ? readCertificate('sns') : Buffer.from('<ConfirmSubscriptionResponse/>')
  return { outcome: 'fetched', status: 200, url, permanentUrl: null, headers: {}, bytes }
}

const post = ({ web }: House, provider: string, body: unknown) =>
  web
    .post(`/inbound/${provider}`)
    // What SNS says it sends.
    .set('Content-Type', 'text/plain; charset=UTF-8')
    .send(typeof body === 'string' ? body : JSON.stringify(body))
const kept = ({ db }: House) =>
  db.selectFrom('inboundEvents').select(['source', 'raw', 'facts']).orderBy('id').execute()

story(
  'a bounce from SES is kept once, with what it says; altered, old, of another topic or another host, it is not',
  async (house) => {
    asked.length = 0
    const now = house.clock.now()
    const notification = sesBounce(who, {
      diagnostic: 'smtp; 550 5.1.1 user unknown',
      status: '5.1.1',
      mail: { headers: [{ name: 'Message-ID', value: '<1.abc@news.example>' }] },
    })
    const good = snsMessage(now, notification)
    for (const [body, text] of [
      [{ ...good, Message: good.Message.replace(who, 'eve@paper.example') }, 'The signature is wrong.'],
      [
        snsMessage(new Date(now.getTime() - 301_000), notification),
        'It was signed more than five minutes ago or ahead.',
      ],
      [snsMessage(now, notification, { TopicArn: `${topic}2` }), 'This topic is not one of INBOUND_SES_TOPIC.'],
      [
        snsMessage(now, notification, { SigningCertURL: 'https://elsewhere.example/SimpleNotificationService-1.pem' }),
        'The certificate is not at the SNS host of the topic’s region.',
      ],
    ] as const) {
      const refused = await post(house, 'ses', body).expect(403)
      assert.equal(refused.body.detail, text)
    }
    assert.deepEqual(await kept(house), [])
    await post(house, 'ses', good).expect(200, 'stored\n')
    // A repetition, as SNS makes it when it missed the answer, or somebody who recorded it.
    await post(house, 'ses', good).expect(200, 'known\n')
    assert.deepEqual(await kept(house), [
      {
        source: 'ses',
        raw: null,
        facts: {
          id: good.MessageId,
          returnPath: 'digest@news.example',
          deliveryHeader: null,
          messageId: '<1.abc@news.example>',
          reports: [
            {
              recipient: who,
              class: 'hard',
              reason: 'user_unknown',
              status: '5.1.1',
              diagnostic: 'smtp; 550 5.1.1 user unknown',
            },
          ],
        },
      },
    ])
    assert.deepEqual(asked, [certificateUrl])
  },
  { env, fetchFromSns },
)

story(
  'a subscription is confirmed for our topic alone, at the address of AWS that we make ourselves',
  async (house) => {
    asked.length = 0
    const now = house.clock.now()
    const confirmation = (changes: object = {}) =>
      snsMessage(now, 'You have chosen to subscribe to the topic.', {
        Type: 'SubscriptionConfirmation',
        Token: '2336412f37fb687f5d51e6e2',
        SubscribeURL: 'https://elsewhere.example/steal',
        ...changes,
      })
    await post(house, 'ses', confirmation({ TopicArn: `${topic}2` })).expect(403)
    await post(house, 'ses', { ...confirmation(), Token: 'another' }).expect(403)
    assert.deepEqual(asked, [certificateUrl])
    await post(house, 'ses', confirmation()).expect(200, 'confirmed\n')
    assert.deepEqual(asked.slice(1), [
      `https://sns.eu-west-1.amazonaws.com/?${new URLSearchParams({
        Action: 'ConfirmSubscription',
        TopicArn: topic,
        Token: '2336412f37fb687f5d51e6e2',
      })}`,
    ])
    const [line] = await house.db.selectFrom('auditLog').select(['action', 'subject']).execute()
    assert.deepEqual(line, { action: 'inbound.topic_confirmed', subject: `topic:${topic}` })
    isAwsDown = true
    await post(house, 'ses', confirmation()).expect(503)
    isAwsDown = false
    await post(house, 'ses', snsMessage(now, 'Good bye', { Type: 'UnsubscribeConfirmation' })).expect(200, 'ignored\n')
    assert.deepEqual(await kept(house), [])
  },
  { env, fetchFromSns },
)

story(
  'a failure from Mailgun is kept once; a token counts for one event',
  async (house) => {
    const now = house.clock.now()
    const good = mailgunPost(now, mailgunFailure('e1', who))
    const { signature } = good
    await post(house, 'mailgun', { ...good, signature: { ...signature, token: 'another' } }).expect(403)
    await post(house, 'mailgun', mailgunPost(new Date(now.getTime() - 301_000), mailgunFailure('e1', who))).expect(403)
    await post(house, 'mailgun', good).expect(200, 'stored\n')
    await post(house, 'mailgun', good).expect(200, 'known\n')
    // Signed anew, as one that is tried again may be: still the same event.
    await post(house, 'mailgun', mailgunPost(now, mailgunFailure('e1', who), 'second')).expect(200, 'known\n')
    // The signature covers no event: whoever has seen a token can't use it for their own.
    await post(house, 'mailgun', { ...good, 'event-data': mailgunFailure('e2', 'eve@paper.example') }).expect(403)
    await post(house, 'mailgun', { ...good, 'event-data': mailgunFailure('e1', 'eve@paper.example') }).expect(
      200,
      'known\n',
    )
    await post(house, 'mailgun', mailgunPost(now, { id: 'e3', event: 'opened' }, 'third')).expect(200, 'ignored\n')
    const rows = await kept(house)
    assert.deepEqual(
      rows.map(({ source, facts }) => [source, (facts as { reports: { recipient: string }[] }).reports[0]!.recipient]),
      [['mailgun', who]],
    )
    house.clock.advance('25h')
    await purgeInboundTokens(house.ctx)
    assert.deepEqual(await house.db.selectFrom('inboundTokens').selectAll().execute(), [])
  },
  { env },
)

story(
  'what is no webhook of a provider that the configuration names is refused for what it is',
  async (house) => {
    for (const provider of ['sendgrid', 'ses/', 'SES', '..%2fses', 'ses%00']) {
      const { status } = await post(house, provider, '{}')
      assert.ok(status === 404 || status === 400, `${provider}: ${status}`)
    }
    await house.web.get('/inbound/ses').expect(405)
    for (const provider of ['ses', 'mailgun']) {
      for (const junk of ['', '{', 'null', '[]', '{"Type":7}', '\u0000']) await post(house, provider, junk).expect(400)
      await post(house, provider, 'x'.repeat(1_100_000)).expect(413)
      await post(house, provider, '{}').set('Content-Encoding', 'gzip').expect(415)
    }
    assert.deepEqual(await kept(house), [])
  },
  { env },
)

story('without their variables no provider is known', async (house) => {
  for (const provider of ['ses', 'mailgun']) await post(house, provider, mailgunPost(house.clock.now(), {})).expect(404)
})
