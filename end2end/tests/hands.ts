/** Two ways to use a page: one with the mouse, one with nothing but keys. */
import { expect, type Locator } from "@playwright/test";

export interface Hands {
  focus(field: Locator): Promise<void>;
  /** A button or a link. */
  press(control: Locator): Promise<void>;
  fill(field: Locator, text: string): Promise<void>;
  /** A radio button of a group. */
  choose(radio: Locator): Promise<void>;
  /** The option of a list that begins with a text. */
  select(list: Locator, text: string): Promise<void>;
  /** A tab of a tab list. */
  tab(tab: Locator): Promise<void>;
}

export const mouse: Hands = {
  focus: (field) => field.click(),
  press: (control) => control.click(),
  fill: (field, text) => field.fill(text),
  choose: (radio) => radio.check({ force: true }),
  select: async (list, text) => {
    const option = list.getByRole("option", { name: new RegExp(`^${text}`) });
    await list.selectOption(await option.getAttribute("value"));
  },
  tab: (tab) => tab.click(),
};

const isFocused = (element: Locator) => element.evaluate((it) => it === document.activeElement);

/** Presses a key until `is` holds, and fails when the keys lead nowhere. */
async function pressUntil(target: Locator, key: string, is: () => Promise<boolean>) {
  await expect(target).toBeAttached();
  for (let pressed = 0; pressed < 150; pressed++) {
    if (await is()) return;
    // Tab writes a tab character where one types SQL; Escape before it leaves.
    if (key === "Tab") await target.page().keyboard.press("Escape");
    await target.page().keyboard.press(key);
  }
  throw new Error(`${key} does not lead to ${target}`);
}

const reach = (target: Locator) => pressUntil(target, "Tab", () => isFocused(target));

export const keyboard: Hands = {
  focus: reach,
  press: async (control) => {
    await reach(control);
    await control.page().keyboard.press("Enter");
  },
  fill: async (field, text) => {
    await reach(field);
    await field.page().keyboard.press("Control+A");
    await field.page().keyboard.type(text);
  },
  choose: async (radio) => {
    // Tab leads to the chosen one of the group, the arrows from there.
    const group = radio.page().locator(`input[name="${await radio.getAttribute("name")}"]`);
    await pressUntil(radio, "Tab", () => group.evaluateAll((all) => all.some((it) => it === document.activeElement)));
    await pressUntil(radio, "ArrowRight", () => radio.isChecked());
  },
  select: async (list, text) => {
    await reach(list);
    await list.page().keyboard.type(text);
    await expect(list.getByRole("option", { name: new RegExp(`^${text}`) })).toHaveJSProperty("selected", true);
  },
  tab: async (tab) => {
    const tabs = tab.locator("xpath=ancestor::*[@role='tablist']").getByRole("tab");
    await pressUntil(tab, "Tab", () => tabs.evaluateAll((all) => all.some((it) => it === document.activeElement)));
    await pressUntil(tab, "ArrowRight", () => isFocused(tab));
    await tab.page().keyboard.press("Enter");
    await expect(tab).toHaveAttribute("aria-selected", "true");
  },
};
