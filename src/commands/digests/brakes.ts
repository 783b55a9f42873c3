// `brake list` and `brake decide` on the command line. Each returns the exit code.

import type { Out } from '../out.ts'
import { invalid } from '../../base/errors.ts'
import type { Context } from '../../db/context.ts'
import type { Brake } from '../../db/schema.ts'
import { brakeDecisions, brakeSentence, brakeView, decidedText, stakeSentence } from '../../desk/brake-words.ts'
import { countUnderBrake, decideBrake, findBrake, listBrakes } from '../../desk/brakes.ts'

const most = 1000

export async function brakeList(ctx: Context, args: { all?: boolean; json?: boolean }, out: Out): Promise<number> {
  const brakes = await listBrakes(ctx.db, { limit: most, isOn: args.all ? undefined : true })
  if (!args.json && brakes.length === 0) out.print(args.all ? 'There has been no brake.' : 'No brake is on.')
  for (const brake of brakes) out.print(await line(ctx, brake, args.json === true))
  return 0
}

async function line(ctx: Context, brake: Brake, isJson: boolean): Promise<string> {
  const under = await countUnderBrake(ctx, brake)
  if (isJson) return JSON.stringify(brakeView(brake, under))
  const stake = brake.decision === null ? ` ${stakeSentence(under)}` : ''
  return `${brake.id}  ${brakeSentence(brake)}${stake}`
}

export async function brakeDecide(
  ctx: Context,
  args: { id: number; decision: string; json?: boolean },
  out: Out,
): Promise<number> {
  const decision = brakeDecisions.find((each) => each === args.decision)
  if (!decision) throw invalid('decision', `must be ${brakeDecisions.join(' or ')}.`)
  const done = await decideBrake(ctx, { brakeId: args.id, decision, actor: 'cli' })
  if (args.json) {
    const brake = (await findBrake(ctx.db, args.id))!
    out.print(JSON.stringify({ event: 'decided', ...done, brake: brakeView(brake, await countUnderBrake(ctx, brake)) }))
  } else out.print(`Decided. ${decidedText(decision, done)}`)
  return 0
}
