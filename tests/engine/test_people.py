"""Who is who in git."""

import pytest

from engine.people import People, Person

PEOPLE = People((Person("mira@example.com", commits=("12+mira@users.noreply.github.com", "Mira@Home.example")),))


@pytest.mark.parametrize(
    ("email", "principal"),
    [
        ("mira@home.example", "mira@example.com"),
        ("12+MIRA@users.noreply.github.com", "mira@example.com"),
        (" Mira@Example.com", "mira@example.com"),
        ("Tomas@Example.com", "tomas@example.com"),
    ],
)
def test_authors(email, principal):
    """Whatever address somebody commits with, it is one person; who is not listed is the address itself."""
    assert PEOPLE.author(email) == principal
