"""Names of columns and files as words, and what the words say."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_PARTS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


def _listed(words: str) -> frozenset[str]:
    return frozenset(words.split())


USERS: Final = _listed(
    "user users customer customers client clients member members reader readers visitor visitors viewer "
    "viewers person  people account accounts subscriber subscribers buyer buyers shopper shoppers guest "
    "guests listener listeners  player players student students patient patients uid profile profiles "
    "contact contacts audience session  sessions device devices cookie "
    "kunde kunden nutzer benutzer besucher mitglied mitglieder leser abonnent abonnenten kaufer "
    "utilisateur utilisateurs acheteur acheteurs membre membres visiteur lecteur abonne "
    "usuario usuarios cliente clientes comprador miembro lector"
)
ITEMS: Final = _listed(
    "item items product products article articles movie movies film films book books track tracks song "
    "songs video  videos post posts listing listings sku skus asin stock recipe recipes course courses "
    "job jobs story stories news  content contents document documents doc docs page pages isbn show shows "
    "title titles offer offers catalog  catalogue restaurant restaurants business businesses place places "
    "hotel hotels property properties photo photos  game games podcast podcasts episode episodes "
    "event_item inventory goods ad ads stream streams "
    "artikel produkt produkte ware waren buch bucher filme beitrag beitrage rezept rezepte angebot angebote "
    "katalog sortiment produit produits livre livres annonce annonces offre offres "
    "producto productos articulo articulos libro libros pelicula peliculas oferta ofertas catalogo"
)
EVENTS: Final = _listed(
    "event events click clicks interaction interactions rating ratings order orders purchase purchases "
    "transaction  transactions view views pageview pageviews log logs history activity activities action "
    "actions play plays read  reads visit visits behavior behaviors behaviour behaviours review reviews "
    "feedback like likes sale sales invoice  invoices listen listens watch watches checkin checkins "
    "booking bookings cart carts engagement "
    "ereignis ereignisse vorgang vorgange klicks kaufe verkaufe bestellung bestellungen aufrufe bewertungen "
    "verlauf evenement evenements achats ventes commandes vues historique "
    "evento eventos compras ventas pedidos clics vistas historial"
)

ID_WORDS: Final = _listed(
    "id ids uid sku asin isbn uuid guid code key number no nr slug ref nummer kennung numero num codigo"
)

_NOUNS: Final = USERS | ITEMS | EVENTS
_ENDINGS: Final = ("id", "nummer", "nr")


def words_of(name: str) -> list[str]:
    """The words of a name, lower case: `CustomerID` is customer and id, and so is `customerid`.

    Letters lose their accents: `Rückgabe` is ruckgabe.
    """
    words: list[str] = []
    for part in _PARTS.findall(_plain(name)):
        word = part.lower()
        ending = next((each for each in _ENDINGS if word.endswith(each)), "")
        stem = word.removesuffix(ending)
        words += [stem, ending] if ending and stem in _NOUNS else [word]
    return words


def _plain(text: str) -> str:
    if text.isascii():
        return text
    parts = unicodedata.normalize("NFKD", text.replace("\u00df", "ss"))
    return "".join(each for each in parts if not unicodedata.combining(each))


def slug(name: str) -> str:
    """A name as recipes have it: lower-case letters, digits and `_`, beginning with a letter."""
    made = "_".join(words_of(name)) or "field"
    return (made if made[0].isalpha() else f"n_{made}")[:63]


def singular(word: str) -> str:
    """An English plural without its ending."""
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") and len(word) > 3 else word


def plural(word: str) -> str:
    """An English noun as several of them."""
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return word[:-1] + "ies"
    return word + ("es" if word.endswith(("s", "x", "sh", "ch")) else "s")


def says(name: str, *meanings: str) -> bool:
    """Whether a name has one of the meanings: words of it that follow each other, such as `created at`."""
    text = f" {' '.join(words_of(name))} "
    return any(f" {meaning} " in text for meaning in meanings)
