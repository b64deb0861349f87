"""What the usual types of events say about taste: a weight, and a verb for reasons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from homefeed.propose.words import singular, words_of


@dataclass(frozen=True, slots=True)
class Meaning:
    """A type of event by what the user did: how much it says, and its verb. `consumes`: the item is done with."""

    weight: float
    verb: str
    consumes: bool = False


def _all(words: str, meaning: Meaning) -> tuple[tuple[str, Meaning], ...]:
    return tuple((word, meaning) for word in words.split(", "))


_FOREIGN: Final = (
    # German, French and Spanish, without accents; the longer words first.
    *_all("aus warenkorb entfernt, retire du panier", Meaning(0, "took out of the cart")),
    *_all(
        "retoure, retour, rucksendung, ruckgabe, erstattung, remboursement, devolucion, devuelto, reembolso",
        Meaning(-1, "gave back"),
    ),
    *_all("gefallt nicht, mag nicht, je n aime pas, no me gusta", Meaning(-1, "disliked")),
    *_all("ausblenden, ausgeblendet, masquer, masque, ocultar, oculto", Meaning(-1, "hid")),
    *_all("warenkorb, einkaufswagen, panier, carrito", Meaning(3, "put into the cart")),
    *_all(
        "kauf, kaufe, gekauft, bestellung, bestellt, achat, achete, commande, compra, comprado, pedido, venta",
        Meaning(5, "bought", True),
    ),
    *_all(
        "merken, gemerkt, merkliste, merkzettel, wunschliste, favorit, favori, favorito, guardar, guardado",
        Meaning(4, "saved", True),
    ),
    *_all("gefallt, aime, me gusta", Meaning(3, "liked", True)),
    *_all("bewertung, bewertet, valoracion", Meaning(2, "rated", True)),
    *_all("klick, geklickt, clic, geoffnet, ouvert, abierto", Meaning(1, "opened", True)),
    *_all("ansicht, angesehen, gesehen, aufruf, vue, consultation, vista, visto", Meaning(1, "viewed", True)),
)

_KNOWN: Final[tuple[tuple[str, Meaning], ...]] = (
    # The longer words first: "remove from cart" is no "cart".
    ("remove from cart", Meaning(0, "took out of the cart")),
    ("removefromcart", Meaning(0, "took out of the cart")),
    ("not interested", Meaning(-1, "was not interested in")),
    ("thumbs down", Meaning(-1, "disliked")),
    ("thumbs up", Meaning(3, "liked", True)),
    ("add to cart", Meaning(3, "put into the cart")),
    ("addtocart", Meaning(3, "put into the cart")),
    ("dislike", Meaning(-1, "disliked")),
    ("downvote", Meaning(-1, "disliked")),
    ("dismiss", Meaning(-1, "dismissed")),
    ("hide", Meaning(-1, "hid")),
    ("block", Meaning(-1, "blocked")),
    ("report", Meaning(-1.5, "reported")),
    ("unlike", Meaning(0, "liked no more")),
    ("unsave", Meaning(0, "saved no more")),
    ("unfollow", Meaning(0, "followed no more")),
    ("skip", Meaning(0, "skipped")),
    ("refund", Meaning(-1, "gave back")),
    ("return", Meaning(-1, "gave back")),
    ("cancel", Meaning(0, "cancelled")),
    ("impression", Meaning(0, "was shown")),
    ("exposure", Meaning(0, "was shown")),
    ("display", Meaning(0, "was shown")),
    ("purchase", Meaning(5, "bought", True)),
    ("transaction", Meaning(5, "bought", True)),
    ("invoice", Meaning(5, "bought", True)),
    ("order", Meaning(5, "bought", True)),
    ("sale", Meaning(5, "bought", True)),
    ("buy", Meaning(5, "bought", True)),
    ("bought", Meaning(5, "bought", True)),
    ("checkout", Meaning(4, "was about to buy")),
    ("basket", Meaning(3, "put into the basket")),
    ("cart", Meaning(3, "put into the cart")),
    ("wishlist", Meaning(4, "saved")),
    ("bookmark", Meaning(4, "saved", True)),
    ("favorite", Meaning(4, "saved", True)),
    ("favourite", Meaning(4, "saved", True)),
    ("fav", Meaning(4, "saved", True)),
    ("save", Meaning(4, "saved", True)),
    ("share", Meaning(4, "shared", True)),
    ("repost", Meaning(4, "shared", True)),
    ("subscribe", Meaning(5, "subscribed to", True)),
    ("booking", Meaning(5, "booked", True)),
    ("book", Meaning(5, "booked", True)),
    ("apply", Meaning(5, "applied to", True)),
    ("application", Meaning(5, "applied to", True)),
    ("enroll", Meaning(5, "enrolled in", True)),
    ("download", Meaning(3, "downloaded", True)),
    ("follow", Meaning(3, "followed", True)),
    ("comment", Meaning(3, "commented on", True)),
    ("reply", Meaning(3, "answered", True)),
    ("review", Meaning(3, "reviewed", True)),
    ("complete", Meaning(3, "finished", True)),
    ("finish", Meaning(3, "finished", True)),
    ("upvote", Meaning(3, "liked", True)),
    ("like", Meaning(3, "liked", True)),
    ("love", Meaning(3, "liked", True)),
    ("rate", Meaning(2, "rated", True)),
    ("rating", Meaning(2, "rated", True)),
    ("checkin", Meaning(3, "visited", True)),
    ("watch", Meaning(2, "watched", True)),
    ("play", Meaning(2, "played", True)),
    ("listen", Meaning(2, "listened to", True)),
    ("read", Meaning(2, "read", True)),
    ("open", Meaning(1, "opened", True)),
    ("click", Meaning(1, "opened", True)),
    ("visit", Meaning(1, "visited", True)),
    ("pageview", Meaning(1, "viewed", True)),
    ("detail", Meaning(1, "viewed", True)),
    ("view", Meaning(1, "viewed", True)),
    ("search", Meaning(1, "searched for")),
    *_FOREIGN,
)


def meaning_of(value: str) -> tuple[str, Meaning] | None:
    """The word for a type of event, such as view of `Product View`, and what it means; None: it has none."""
    words = words_of(value)
    text = f" {' '.join(words)} "
    stems = f" {' '.join(_stem(word) for word in words)} "
    return next((found for found in _KNOWN if f" {found[0]} " in text or f" {found[0]} " in stems), None)


def _stem(word: str) -> str:
    """A verb without its ending: viewed, viewing, views."""
    base = singular(word)
    for ending, instead in (("ied", "y"), ("ing", ""), ("ed", "")):
        if base.endswith(ending) and len(base) > len(ending) + 2:
            stem = base.removesuffix(ending) + instead
            return next((each for each in (stem, stem + "e") if any(each == known for known, _ in _KNOWN)), base)
    return base
