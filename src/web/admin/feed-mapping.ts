// The form that maps a feed's stories to categories.

import type { FeedRule } from '../../articles/feed-rules.ts'
import type { FeedView } from '../../articles/feeds.ts'
import { ruleLine } from '../../articles/rule-lines.ts'
import type { Category } from '../../db/schema.ts'
import { html, type Html, to } from '../html.ts'
import { categoryBoxes } from './category-choice.ts'

export function mappingForm(
  feed: FeedView,
  categories: readonly Category[],
  rules: readonly FeedRule[],
  siteTimezone: string,
): Html {
  const lines = rules.map(ruleLine).join('\n')
  return html`<h2 id="mapping">Where its stories go</h2>
    <form method="post" action="${to(`/admin/feeds/${feed.id}/mapping`)}">
      <fieldset>
        <legend>All of them to</legend>
        ${categoryBoxes(categories, feed.categories, 'category')}
      </fieldset>
      <p class="small">Items whose own label is named like one of your categories go there as well.</p>
      <label for="rules">Rules <span class="small">(one a line)</span></label>
      <textarea id="rules" name="rules" rows="5" placeholder="label: Parliament = politics&#10;title: sponsored = -">
${lines}</textarea>
      <p class="small">
        <code>label: Parliament = politics</code> for a label, <code>title: …</code> or <code>link: …</code> for what
        contains the words; <code>-</code> leaves the item out. <code>equals</code>, <code>begins</code> or
        <code>contains</code> says how to compare, <code>in</code> which domain the label is of:
        <code>label begins in https://paper.example/topics: Sport = sports</code>.
      </p>
      <fieldset>
        <legend>Stories dated ahead</legend>
        ${ignoreDatesBox(feed.ignoresDatesAhead)}
      </fieldset>
      <label for="timezone">Time zone of dates without one</label>
      <input
        id="timezone"
        name="timezone"
        value="${feed.timezone ?? ''}"
        maxlength="64"
        placeholder="${siteTimezone}"
        autocomplete="off"
      />
      <p class="small">Empty: the site’s, ${siteTimezone}.</p>
      <p class="buttons"><button class="main">Save</button></p>
    </form>`
}

/** For feeds with a wrong clock or time zone. */
export function ignoreDatesBox(isChecked: boolean): Html {
  return html`<label class="choice">
    <input type="checkbox" name="ignore-dates-ahead" value="yes" ${isChecked && html`checked`} />
    <span>Ignore dates ahead: its stories never wait, and are dated by when they were first seen</span>
  </label>`
}
