"""What a person does in a browser to come in and to go out, at our pages and at those of their identity provider."""

import re

from playwright.sync_api import Page, expect


def sign_in(page: Page, subject: str) -> None:
    """From our sign-in page through the provider's to where the person wanted to go."""
    press_sign_in(page)
    come_back_from_provider(page, subject)


def press_sign_in(page: Page) -> None:
    """The button of our sign-in page, or of an open page that says that its person is signed out."""
    page.get_by_role("link", name=re.compile("^Sign in (with|again)")).click()


def come_back_from_provider(page: Page, subject: str) -> None:
    """Say who one is, and agree that our installation may know it."""
    log_in_at_provider(page, subject)
    page.get_by_role("button", name="Continue").click()
    expect(page).not_to_have_url(re.compile("/interaction/"))


def log_in_at_provider(page: Page, subject: str) -> None:
    """Fill in the provider's form, which takes any password."""
    page.wait_for_url("**/interaction/**")
    page.locator("input[name=login]").fill(subject)
    page.locator("input[name=password]").fill("any")
    page.get_by_role("button", name="Sign-in").click()


def sign_out_at_provider(page: Page, issuer: str) -> None:
    """End the session at the provider's own page, which we are told of from behind."""
    page.goto(f"{issuer}/session/end")
    agree_to_sign_out(page)
    expect(page.get_by_text("Sign-out Success")).to_be_visible()


def agree_to_sign_out(page: Page) -> None:
    """The provider asks before it ends its own session."""
    page.get_by_role("button", name="Yes, sign me out").click()


def expect_signed_out(page: Page) -> None:
    """An open page says that its person is signed out, and shows nothing else."""
    expect(page.get_by_text("You are signed out")).to_be_visible()
    expect(page.get_by_role("link", name="Sign in again")).to_be_visible()
