// A form with a file, as browsers send it (multipart/form-data, RFC 7578). The file is never kept in memory: it is passed on as a
// stream, with the fields before it in the form.

import { Busboy, type BusboyHeaders } from '@fastify/busboy'
import type { Request } from 'express'
import { Refusal } from '../base/errors.ts'

export interface Upload {
  /** The file's name in the browser. */
  fileName: string
  content: AsyncIterable<Buffer>
  /** The last text of each field; for repeated fields: all texts. */
  field(name: string): string
  fieldList(name: string): string[]
}

/** Resolves to the result of `take`. Throws a Refusal if there is no file, or the form is invalid. */
export async function readUpload<T>(request: Request, take: (upload: Upload) => Promise<T>): Promise<T> {
  if (!request.is('multipart/form-data')) throw new Refusal('unsupported_type', 'Send the form as multipart/form-data.')
  return new Promise<T>((resolve, reject) => {
    let parser: InstanceType<typeof Busboy>
    try {
      const limits = { files: 1, fields: 200, parts: 201, fieldSize: 64_000, fieldNameSize: 100 }
      parser = new Busboy({ headers: request.headers as BusboyHeaders, limits })
    } catch {
      return reject(new Refusal('invalid', 'The form can’t be read.'))
    }
    const fields: [name: string, value: string][] = []
    let taken: Promise<T> | undefined
    const fail = (error: unknown) => {
      request.unpipe(parser)
      request.resume()
      reject(error)
    }
    parser.on('field', (name, value) => void fields.push([name, value.replaceAll('\0', '')]))
    parser.on('file', (_name, stream, fileName) => {
      if (!fileName) return stream.resume()
      request.once('close', () => {
        if (!request.complete) stream.destroy(new Error('The upload was broken off.'))
      })
      const fieldList = (name: string) => fields.filter(([each]) => each === name).map(([, value]) => value)
      taken = take({
        fileName,
        content: stream as AsyncIterable<Buffer>,
        field: (name) => fieldList(name).at(-1) ?? '',
        fieldList,
      })
      taken.then(resolve, fail)
    })
    parser.on('finish', () => {
      if (!taken) fail(new Refusal('invalid', 'Choose a file.', [{ field: 'file', message: 'Choose a file.' }]))
    })
    parser.on('error', () => fail(new Refusal('invalid', 'The form can’t be read.')))
    request.pipe(parser)
  })
}
