// `brake list` and `brake decide` on the command line. Each returns the exit code.

import type { Out } from '../out.ts'
import { invalid } from '../../base/errors.ts'
import type { Context } from '../../db/context.ts'
import { type BrakeDecision, brakeDecisions, brakeSentence, brakeView } from '../../desk/brake-words.ts'
import { decideBrake, findBrake, listBrakes } from '../../desk/brakes.ts'

const most = 1000

export async function brakeList(ctx: Context, args: { all?: boolean; json?: boolean }, out: Out): Promise<number> {
  const brakes = await listBrakes(ctx.db, { limit: most, isOn: args.all ? undefined : true })
  if (!args.json && brakes.length === 0) out.print(args.all ? 'There has been no brake.' : 'No brake is on.')
  for (const brake of brakes)
    out.print(args.json ? JSON.stringify(brakeView(brake)) : `${brake.id}  ${brakeSentence(brake)}`)
  return 0
}

export async function brakeDecide(
  ctx: Context,
  args: { id: number; decision: string; json?: boolean },
  out: Out,
): Promise<number> {
  const decision = brakeDecisions.find((each) => each === args.decision)
  if (!decision) throw invalid('decision', `must be ${brakeDecisions.join(' or ')}.`)
  const done = await decideBrake(ctx, { brakeId: args.id, decision, actor: 'cli' })
  if (args.json)
    out.print(JSON.stringify({ event: 'decided', ...done, brake: brakeView((await findBrake(ctx.db, args.id))!) }))
  else out.print(doneWords[decision])
  return 0
}

const doneWords: Record<BrakeDecision, string> = {
  'send-again': 'Decided. Waiting mail is sent again, and nobody is suppressed.',
  'addresses-are-dead':
    'Decided. The addresses reported as dead are suppressed. Waiting mail is tried, and such answers are believed.',
}
