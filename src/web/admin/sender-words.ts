// The fields for subject and preheader of one edition.

import type { Request } from 'express'
import { blankHint, mostOfWords } from '../../digests/sender-words.ts'
import { field } from '../forms.ts'
import { html, type Html } from '../html.ts'

type Words = { subject?: string | undefined; preheader?: string | undefined }

export const senderWordsFields = ({ subject = '', preheader = '' }: Words): Html =>
  html`<label for="subject">Subject <span class="small">(optional)</span></label>
    <input
      id="subject"
      name="subject"
      maxlength="${mostOfWords.subject}"
      value="${subject}"
      aria-describedby="words-hint"
      placeholder="{weekday}: {stories} in {categories}"
    />
    <label for="preheader">Preheader <span class="small">(optional, shown after the subject in an inbox)</span></label>
    <input
      id="preheader"
      name="preheader"
      maxlength="${mostOfWords.preheader}"
      value="${preheader}"
      aria-describedby="words-hint"
    />
    <p class="hint" id="words-hint">Empty: as the site has it. ${blankHint} Each subscriber gets their own.</p>`

export const senderWordsOf = (request: Request): { subject: string; preheader: string } => ({
  subject: field(request, 'subject') ?? '',
  preheader: field(request, 'preheader') ?? '',
})

export const hiddenSenderWords = ({ subject, preheader }: Words): Html =>
  html`<input type="hidden" name="subject" value="${subject}" />
    <input type="hidden" name="preheader" value="${preheader}" />`
