import base from "./playwright.config";

// Measured one after the other, by `cargo xtask bench`.
export default {
  ...base,
  testDir: "./bench",
  workers: 1,
  fullyParallel: false,
  reporter: [["line"]],
  use: { ...base.use, trace: "off" as const },
};
