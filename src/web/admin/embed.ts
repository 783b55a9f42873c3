// The sign-up form for other pages of the site: the code to paste, and a preview.

import type { Router } from 'express'
import { addressOf } from '../../base/addresses.ts'
import { html, type Html } from '../html.ts'
import { type SnippetKind, snippets } from '../pages/snippets.ts'
import type { WebContext } from '../web-context.ts'
import { sendConsole } from './layout.ts'

const ways: readonly { kind: SnippetKind; title: string; explain: string | Html }[] = [
  {
    kind: 'script',
    title: 'Script',
    explain: html`The form becomes part of the page, in its font and colours, and answers in place. To change them, set
    these in your style sheet:
    ${['accent', 'on-accent', 'ink', 'paper', 'font'].map((name) => html`<code>--broadsheet-${name}</code> `)}`,
  },
  {
    kind: 'frame',
    title: 'Frame',
    explain:
      'The form in a frame with a transparent background. The answer opens in a new tab. Use it where scripts of other sites aren’t allowed.',
  },
  {
    kind: 'html',
    title: 'Plain HTML',
    explain:
      'Only a field and a button. It works without scripts, and the default choice applies. The answer opens in a new tab.',
  },
]

export function mountEmbed(router: Router, web: WebContext): void {
  const { config } = web
  router.get('/embed', (request, response) => {
    const pasted = snippets(config)
    // With ADMIN_URL the examples are on another host.
    const examples = new URL(config.web.publicUrl).origin
    const policy = `${String(response.get('Content-Security-Policy'))};frame-src 'self' ${examples}`
    response.set('Content-Security-Policy', policy)
    sendConsole(request, response, web, {
      section: 'embed',
      title: 'Form for your site',
      body: html`<p>
          Put the sign-up form on your own pages: copy one of these into the page. The script’s form is in the language
          of the page around it (<code>lang</code>), or in the one of a <code>data-lang</code> that you give the script.
          The other two name their language in the address: change <code>lang=</code> for pages in another one.
          ${originsSentence(config.site.embedOrigins)}
        </p>
        ${ways.map(
          ({ kind, title, explain }) =>
            html`<section>
              <h2 id="${kind}">${title}</h2>
              <p>${explain}</p>
              <label for="snippet-${kind}">Copy this</label>
              <textarea
                id="snippet-${kind}"
                class="code"
                rows="${pasted[kind].split('\n').length}"
                readonly
                spellcheck="false"
              >
${pasted[kind]}</textarea>
              <details>
                <summary>Show an example</summary>
                <iframe
                  class="example"
                  title="An example page with the form as ${title.toLowerCase()}"
                  loading="lazy"
                  src="${addressOf(config, `/embed/example/${kind}`)}"
                ></iframe>
              </details>
            </section>`,
        )}`,
    })
  })
}

function originsSentence(origins: readonly string[]): string {
  const list = origins.join(', ')
  return `The script answers in place on ${list}. Name other sites in EMBED_ORIGINS; elsewhere the answer opens in a new tab.`
}
