// npm run docs: writes the parts of the documentation that are made from the code.

import fs from 'node:fs'
import path from 'node:path'
import { generatedFiles } from './support/doc-tables.ts'

for (const [file, text] of Object.entries(await generatedFiles()))
  fs.writeFileSync(path.join(import.meta.dirname, '..', file), text)
