// No story twice, none missed: whatever readers, editors, feeds, relays and crashes do over simulated months. A model beside the
// product keeps, per reader and category, the stories that must still come; each mail that arrives is checked against it.
// `npm run simulate` runs it longer (SIMULATE_RUNS, SIMULATE_STEPS; SIMULATE_SEED and SIMULATE_PATH repeat a failure, SIMULATE_SHRINK
// looks for the shortest one).

import { test } from 'node:test'
import fc from 'fast-check'
import type { Frequency } from '../../src/db/schema.ts'
import type { ArticleAction } from '../../src/articles/control.ts'
import { openHouse } from '../support/house.ts'
import { seedOf } from '../support/seed.ts'
import type { RelayFault } from '../support/post.ts'
import { SimulatedSite } from '../support/simulated-site.ts'
import type { EditionMove } from '../../src/editions/states.ts'

const runs = Number(process.env['SIMULATE_RUNS'] ?? 1)
const steps = Number(process.env['SIMULATE_STEPS'] ?? 40)
const seed = seedOf('SIMULATE_SEED')

const zones = ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'Pacific/Apia']
const readers = 4
const dayMs = 86_400_000

const reader = fc.nat(readers - 1)
const category = fc.nat(2)
const often = <T>(weight: number, arbitrary: fc.Arbitrary<T>) => ({ weight, arbitrary })
const named = <Name extends string, T>(does: Name, rest: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record({ do: fc.constant(does), ...rest }) as fc.Arbitrary<{ do: Name } & T>

const step = fc.oneof(
  often(8, named('wait', { hours: fc.integer({ min: 1, max: 30 }), retries: fc.boolean() })),
  often(1, named('sleep', { hours: fc.integer({ min: 48, max: 500 }) })),
  often(4, named('killed', { hours: fc.integer({ min: 1, max: 30 }), statements: fc.nat(70) })),
  often(9, named('publish', { category, second: category, hoursOld: fc.constantFrom(0, 0, 0, 1, 50, 1500) })),
  often(3, named('embargo', { category, second: category, hours: fc.constantFrom(1, 5, 23, 50, 300) })),
  often(1, named('flood', { category, stories: fc.integer({ min: 5, max: 25 }) })),
  often(1, named('add to', { story: fc.nat(), category })),
  often(1, named('redate', { story: fc.nat(), hours: fc.integer({ min: -900, max: 900 }) })),
  often(
    3,
    named('control', {
      story: fc.nat(),
      action: fc.constantFrom<ArticleAction>('hold', 'release', 'pin', 'unpin', 'withdraw', 'restore'),
    }),
  ),
  often(1, named('category', { category, how: fc.constantFrom('retire', 'restore', 'restore', 'rename') })),
  often(
    3,
    named('choose', {
      reader,
      category,
      frequency: fc.constantFrom<Frequency | 'off'>('off', 'daily', 'weekly', 'monthly'),
    }),
  ),
  often(2, named('move', { reader, zone: fc.constantFrom(...zones), hour: fc.nat(23), address: fc.boolean() })),
  often(1, named('order', { reader, first: category })),
  often(1, named('pause', { reader, days: fc.integer({ min: -1, max: 9 }) })),
  often(1, named('leave', { reader, how: fc.constantFrom('unsubscribe', 'return', 'return', 'erase') })),
  often(
    4,
    named('relay', {
      reader,
      fault: fc.constantFrom<RelayFault>('defers', 'refuses', 'takes and hangs up', 'hangs up'),
    }),
  ),
  often(1, named('holiday', {})),
  often(1, named('manual', { category: fc.option(category) })),
  often(1, named('announce', {})),
  often(
    4,
    named('press', {
      nth: fc.nat(2),
      button: fc.constantFrom<EditionMove | 'retry' | 'sent' | 'resend'>(
        'hold',
        'release',
        'release',
        'pause',
        'resume',
        'cancel',
        'retry',
        'retry',
        'sent',
        'resend',
      ),
    }),
  ),
  often(2, named('arrange', { drop: fc.nat(), pin: fc.nat() })),
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

/** The site's own settings, which decide what an edition goes through. */
const settings = fc.record({
  minimum: fc.constantFrom(1, 1, 1, 2),
  approval: fc.constantFrom('none', 'none', 'send', 'hold'),
  uncertain: fc.constantFrom('resend', 'resend', 'hold'),
})

test('no story twice, none missed, over simulated months of everything at once', async (t) => {
  t.diagnostic(`SIMULATE_SEED=${seed} SIMULATE_RUNS=${runs} SIMULATE_STEPS=${steps}`)
  let done = 0
  const months = fc.array(step, { minLength: steps, maxLength: steps, size: 'max' })
  await fc.assert(
    fc.asyncProperty(settings, months, async ({ minimum, approval, uncertain }, all) => {
      const env: Record<string, string> = {
        DIGEST_STORIES: '2',
        DIGEST_MINIMUM: String(minimum),
        UNCERTAIN_POLICY: uncertain,
        ...(approval !== 'none' && { APPROVAL_MINUTES: '90', APPROVAL_POLICY: approval }),
      }
      await using house = await openHouse('embedded', { env })
      await using site = await SimulatedSite.open(house, zones.slice(0, readers))
      // An edition is built for approval only when somebody looks shortly before its slot.
      const pass = async (hours: number, crash?: number) => {
        for (let left = hours; left > 0;) {
          const leap = approval === 'none' || left > 30 ? left : 1
          house.clock.advance(`${leap}h`)
          left -= leap
          await site.look(left === 0 ? crash : undefined)
        }
      }
      for (const each of all) await take(site, each, pass, house.clock.now())
      await site.finish()
      done++
      if (runs > 10)
        console.log(`${done} of ${runs} simulated, all well, after ${Math.round(performance.now() / 60_000)} minutes`)
    }),
    {
      numRuns: runs,
      seed,
      path: process.env['SIMULATE_PATH'] ?? '',
      endOnFailure: process.env['SIMULATE_SHRINK'] === undefined,
    },
  )
})

async function take(
  site: SimulatedSite,
  each: Step,
  pass: (hours: number, crash?: number) => Promise<void>,
  now: Date,
): Promise<void> {
  const story = 'story' in each ? site.story(each.story) : undefined
  switch (each.do) {
    case 'wait':
      if (each.retries) await site.comeRetries()
      return pass(each.hours)
    case 'sleep':
      return pass(each.hours)
    case 'killed':
      return pass(each.hours, each.statements)
    case 'publish':
      return site.publish([each.category, each.second], each.hoursOld)
    case 'embargo':
      return site.embargo([each.category, each.second], each.hours)
    case 'flood':
      for (let n = 0; n < each.stories; n++) await site.publish([each.category], n)
      return
    case 'add to':
      return story ? site.addToCategory(story, each.category) : undefined
    case 'redate':
      return story ? site.redate(story, each.hours) : undefined
    case 'control':
      return story ? site.control(story, each.action) : undefined
    case 'category':
      return site.changeCategory(each.category, each.how)
    case 'choose':
      return site.choose(each.reader, each.category, each.frequency)
    case 'move':
      if (each.address) await site.moveAddress(each.reader)
      return site.prefer(each.reader, { timezone: each.zone, sendHour: each.hour })
    case 'order':
      return site.prefer(each.reader, { order: [['politics', 'world', 'business'][each.first]!] })
    case 'pause':
      return site.prefer(each.reader, {
        pausedUntil: each.days < 0 ? null : new Date(now.getTime() + each.days * dayMs),
      })
    case 'leave':
      return site.leave(each.reader, each.how)
    case 'relay':
      return site.breakRelay(each.reader, each.fault)
    // Nothing is sent for a while: digests stay queued and are superseded at the next slot.
    case 'holiday':
      site.isHoliday = !site.isHoliday
      return
    case 'manual':
      await site.trigger(each.category)
      return site.look()
    case 'announce':
      await site.announce()
      return site.look()
    case 'press':
      await site.press(each.nth, each.button)
      return site.look()
    case 'arrange':
      return site.arrange(each.drop, each.pin)
  }
}
