"""What an act does to the world, and so whether it asks for the second factor again: declared with every act.

An act names its effect (`dialog_action`, `EditAdmin`); that it is strong follows from the effect alone, so an act that
gives out a secret or can't be undone can't forget to ask.
"""

from enum import Enum


class Effect(Enum):
    """One thing that acts do, and whether it is strong; why stands beside each."""

    # It can't be undone, or begins what can't be.
    FOR_GOOD = ("for_good", True)
    # It gives out what lets somebody in: a secret, a password, an activation code.
    GIVES_SECRET = ("gives_secret", True)
    # It decides where an account's data goes, or how much of it.
    REDIRECTS = ("redirects", True)
    # It gives access, widens it, or lets in again who was shut out.
    OPENS = ("opens", True)
    # It shows or hands out what is masked, or decides what is.
    UNMASKS = ("unmasks", True)
    # It decides what a phone has to prove.
    LOWERS_BAR = ("lowers_bar", True)
    # It decides which key of ours phones trust.
    TRUSTS = ("trusts", True)
    # It changes much at once: many people, or all clients of an account.
    MANY = ("many", True)
    # It holds something back until somebody lets it go on.
    HOLDS = ("holds", False)
    # It ends such a hold; who calls is verified first.
    RELEASES = ("releases", False)
    # It ends something that waits and can be started again.
    ENDS_OPEN = ("ends_open", False)
    # It sends where the account's data goes already.
    SENDS_AGAIN = ("sends_again", False)
    # It asks for something that is decided or carried out later.
    ASKS = ("asks", False)
    # It begins something for people or systems that are there for tests.
    STARTS = ("starts", False)
    # It hands out what every reader of the list sees.
    HANDS_OUT_MASKED = ("hands_out_masked", False)
    # It writes something down beside what there is.
    NOTES = ("notes", False)
    # It changes names and looks.
    NAMES = ("names", False)

    def __init__(self, _name: str, strong: bool) -> None:
        self.strong = strong
