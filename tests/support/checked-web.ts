// supertest against our application; each answer of the API is held against the document, whatever the test looks at.

import type { Express } from 'express'
import supertest, { type Test } from 'supertest'
import type { Config } from '../../src/base/config.ts'
import { endpoints } from '../../src/web/api/endpoints.ts'
import { openApiDocument } from '../../src/web/api/openapi.ts'
import { ApiAnswers } from './api-answers.ts'

const prefix = '/api/v1'
const methods = ['get', 'post', 'put', 'patch', 'delete', 'head', 'options'] as const
let answers: ApiAnswers | undefined

/** The document differs by nothing but names of the site from one configuration to the next. */
export function apiAnswers(config: Config): ApiAnswers {
  answers ??= new ApiAnswers(openApiDocument(config, endpoints))
  return answers
}

export function checkedWeb(app: Express, config: Config): ReturnType<typeof supertest> {
  const web = supertest(app)
  const checked = Object.fromEntries(
    methods.map((method) => [
      method,
      (url: string) => {
        const test: Test = web[method](url)
        if (!url.startsWith(`${prefix}/`) || url.startsWith(`${prefix}/openapi.json`)) return test
        return test.expect((response) => {
          // What superagent keeps of the body that it sent.
          const { _data: body } = test as unknown as { _data: unknown }
          apiAnswers(config).check({ method: method.toUpperCase(), path: url.slice(prefix.length), body }, response)
        })
      },
    ]),
  )
  return { ...web, ...checked } as ReturnType<typeof supertest>
}
