import { expect, test } from "vitest";
import { codeFault, digitsOf, groupsOf } from "./people";

test("a code is its digits, however it was pasted", () => {
  expect(digitsOf(" 123 456\n")).toBe("123456");
  expect(digitsOf("1234567")).toBe("123456");
  expect(digitsOf("code")).toBe("");
});

test("a code has six digits", () => {
  expect(codeFault("12345")).toBe("Six digits");
  expect(codeFault("123456")).toBeNull();
});

test("a secret is shown in groups of four", () => {
  expect(groupsOf("ABCDEFGHIJ")).toBe("ABCD EFGH IJ");
  expect(groupsOf("ABCD")).toBe("ABCD");
});
