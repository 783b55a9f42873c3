// The process behind mjml.ts: one template in, its HTML out, in order.

import mjml2html from 'mjml'
import type { MjmlAnswer, MjmlRequest } from './mjml.ts'

let last: Promise<void> = Promise.resolve()

process.on('message', (request: MjmlRequest) => {
  last = last.then(async () => {
    const answer = await render(request)
    // Nobody waits for it when the other process was killed meanwhile.
    if (process.connected) process.send!(answer, undefined, undefined, () => {})
  })
})

async function render({ source, path }: MjmlRequest): Promise<MjmlAnswer> {
  try {
    const { html } = await mjml2html(source, {
      validationLevel: 'strict',
      fonts: {},
      ignoreIncludes: false,
      filePath: path,
      keepComments: true,
    })
    return { html }
  } catch (cause) {
    return { error: `${path}: ${(cause as Error).message}` }
  }
}
