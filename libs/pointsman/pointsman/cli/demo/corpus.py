"""What the demo's customers write: short texts of our own in seven languages, with slots, about what the shop's rules
tell apart. Every text is filled with other orders, products and dates, so that no two messages are the same.
"""

import random
from dataclasses import dataclass

CATEGORIES = ("refund", "invoice", "return", "delivery", "login", "bug", "privacy", "question")


@dataclass(frozen=True, slots=True)
class SampleMessage:
    """A message as a customer wrote it, with what it is about and in which language."""

    subject: str
    text: str
    language: str
    category: str


GREETINGS: dict[str, tuple[str, ...]] = {
    "en": ("Hello,", "Good morning,", "Hi there,", "Dear team,"),
    "it": ("Buongiorno,", "Salve,", "Ciao a tutti,", "Gentile assistenza,"),
    "de": ("Guten Tag,", "Hallo zusammen,", "Sehr geehrtes Team,", "Moin,"),
    "ru": ("Здравствуйте!", "Добрый день!", "Приветствую,", "Уважаемая поддержка,"),
    "zh-Hant": ("您好，", "你好，", "請問一下，", "客服您好，"),
    "es": ("Hola,", "Buenos días,", "Buenas tardes,", "Estimado equipo,"),
    "fr": ("Bonjour,", "Bonsoir,", "Madame, Monsieur,", "Chère équipe,"),
}

CLOSINGS: dict[str, tuple[str, ...]] = {
    "en": ("Thanks a lot.", "Please answer soon.", "Kind regards,\n{name}", "Thank you, {name}"),
    "it": ("Grazie mille.", "Attendo una vostra risposta.", "Cordiali saluti,\n{name}", "Un saluto, {name}"),
    "de": ("Vielen Dank.", "Bitte antworten Sie bald.", "Mit freundlichen Grüßen\n{name}", "Danke, {name}"),
    "ru": ("Заранее спасибо.", "Жду вашего ответа.", "С уважением,\n{name}", "Спасибо, {name}"),
    "zh-Hant": ("謝謝您的幫忙。", "請盡快回覆，謝謝。", "{name} 敬上", "感謝，{name}"),
    "es": ("Muchas gracias.", "Espero su respuesta.", "Un saludo,\n{name}", "Gracias, {name}"),
    "fr": ("Merci beaucoup.", "Merci de me répondre vite.", "Cordialement,\n{name}", "Merci, {name}"),
}

TEXTS: dict[str, dict[str, tuple[str, ...]]] = {
    "en": {
        "refund": (
            "I cancelled order {order} on {date} and I am still waiting for my refund of {amount} euros.",
            "You promised a refund for the {product} three weeks ago, but nothing has reached my account yet.",
            "The shop charged me twice for order {order}; when will I get the refund of {amount} euros?",
        ),
        "invoice": (
            "Could you send me the invoice for order {order} with our company's address on it?",
            "The invoice of {date} shows {amount} euros, but we had agreed on another price for the {product}.",
        ),
        "return": (
            "The {product} from order {order} does not suit me and I would like to send it back. What do I have to do?",
            "I opened the box on {date}. May I still send it back, or is it too late for order {order}?",
        ),
        "delivery": (
            "My parcel with the {product} should have been here on {date}, and the tracking has not moved since.",
            "The delivery of order {order} came without the {product}. What happened to the rest?",
        ),
        "login": (
            "I have forgotten my password and the link in your mail of {date} does not work any more.",
            "Since {date} I cannot log in to my account, although nothing was changed on my side.",
        ),
        "bug": (
            "The app closes with an error as soon as I open order {order}. I use the {product}.",
            "Each time I pay, the page shows error {amount} and the basket is empty afterwards.",
        ),
        "privacy": (
            "Please tell me which personal data of mine you store, and delete what belongs to order {order}.",
            "I ask for a copy of all personal data that your shop has collected about me since {date}.",
        ),
        "question": (
            "Will the {product} be available again before {date}? I would like to give it to my sister.",
            "Which of your shops near the station is open on {date}, and do you have the {product} there?",
        ),
    },
    "it": {
        "refund": (
            "Ho annullato l'ordine {order} il {date} e aspetto ancora il rimborso di {amount} euro.",
            "Mi avevate promesso il rimborso per il {product} tre settimane fa, ma sul conto non è arrivato nulla.",
            "Avete addebitato due volte l'ordine {order}: quando arriva il rimborso di {amount} euro?",
        ),
        "invoice": (
            "Potete mandarmi la fattura dell'ordine {order} intestata alla nostra azienda?",
            "La fattura del {date} riporta {amount} euro, ma per il {product} avevamo concordato un altro prezzo.",
        ),
        "return": (
            "Il {product} dell'ordine {order} non mi va bene e vorrei restituire tutto. Come devo fare?",
            "Ho aperto la scatola il {date}. Posso ancora restituire l'ordine {order} o è troppo tardi?",
        ),
        "delivery": (
            "Il pacco con il {product} doveva arrivare il {date} e da allora la spedizione è ferma.",
            "La consegna dell'ordine {order} era senza il {product}. Dov'è finito il resto?",
        ),
        "login": (
            "Ho dimenticato la password e il collegamento nella vostra mail del {date} non funziona più.",
            "Dal {date} non riesco ad accedere al mio profilo, anche se non ho cambiato niente.",
        ),
        "bug": (
            "L'applicazione si chiude con un errore appena apro l'ordine {order}. Uso il {product}.",
            "Ogni volta che pago la pagina mostra l'errore {amount} e poi il carrello è vuoto.",
        ),
        "privacy": (
            "Vi chiedo quali miei dati personali conservate, e di cancellare quelli dell'ordine {order}.",
            "Desidero una copia di tutti i dati personali che avete raccolto su di me dal {date}.",
        ),
        "question": (
            "Il {product} tornerà disponibile prima del {date}? Vorrei regalarlo a mia sorella.",
            "Quale vostro negozio vicino alla stazione è aperto il {date}, e avete lì il {product}?",
        ),
    },
    "de": {
        "refund": (
            "Ich habe die Bestellung {order} am {date} storniert und warte noch auf die Erstattung von {amount} Euro.",
            "Sie haben mir vor drei Wochen die Erstattung für den {product} zugesagt, aber es ist nichts angekommen.",
            "Die Bestellung {order} wurde zweimal abgebucht; wann kommt die Erstattung von {amount} Euro?",
        ),
        "invoice": (
            "Können Sie mir bitte die Rechnung zur Bestellung {order} mit unserer Firmenanschrift schicken?",
            "Die Rechnung vom {date} lautet auf {amount} Euro, für den {product} war aber etwas anderes vereinbart.",
        ),
        "return": (
            "Der {product} aus der Bestellung {order} passt mir nicht, ich möchte ihn zurückschicken. Wie geht das?",
            "Ich habe die Schachtel am {date} geöffnet. Kann ich die Bestellung {order} noch zurückschicken?",
        ),
        "delivery": (
            "Mein Paket mit dem {product} sollte am {date} da sein, und seither bewegt sich nichts mehr.",
            "Die Lieferung zur Bestellung {order} kam ohne den {product}. Wo ist der Rest geblieben?",
        ),
        "login": (
            "Ich habe mein Passwort vergessen, und der Link in Ihrer Mail vom {date} geht nicht mehr.",
            "Seit dem {date} kann ich mich nicht mehr anmelden, obwohl ich nichts geändert habe.",
        ),
        "bug": (
            "Die App schließt sich mit einem Fehler, sobald ich die Bestellung {order} öffne. Ich habe den {product}.",
            "Jedes Mal beim Bezahlen zeigt die Seite den Fehler {amount}, und danach ist der Warenkorb leer.",
        ),
        "privacy": (
            "Bitte teilen Sie mir mit, welche personenbezogenen Daten Sie speichern, und löschen Sie die von {order}.",
            "Ich bitte um eine Kopie aller personenbezogenen Daten, die Sie seit dem {date} über mich haben.",
        ),
        "question": (
            "Gibt es den {product} noch einmal vor dem {date}? Ich möchte ihn meiner Schwester schenken.",
            "Welcher Ihrer Läden am Bahnhof hat am {date} geöffnet, und haben Sie dort auch den {product}?",
        ),
    },
    "ru": {
        "refund": (
            "Я отменил заказ {order} ещё {date}, но возврат денег на сумму {amount} евро так и не пришёл.",
            "Три недели назад вы обещали возврат денег за {product}, на счёте до сих пор пусто.",
            "За заказ {order} с меня списали дважды; когда будет возврат денег, {amount} евро?",
        ),
        "invoice": (
            "Пришлите, пожалуйста, счёт на заказ {order} с адресом нашей компании.",
            "В счёте от {date} указано {amount} евро, хотя за {product} мы договаривались о другой цене.",
        ),
        "return": (
            "Товар {product} из заказа {order} мне не подошёл, хочу вернуть товар. Что для этого нужно?",
            "Коробку я открыл {date}. Можно ли ещё вернуть товар по заказу {order} или уже поздно?",
        ),
        "delivery": (
            "Моя посылка с {product} должна была прийти {date}, и с тех пор ничего не меняется.",
            "Доставка заказа {order} приехала без {product}. Где остальное?",
        ),
        "login": (
            "Я забыл пароль, а ссылка из вашего письма от {date} больше не работает.",
            "С {date} я не могу войти в свой кабинет, хотя ничего не менял.",
        ),
        "bug": (
            "Приложение закрывается с ошибкой, как только я открываю заказ {order}. У меня {product}.",
            "Каждый раз при оплате страница показывает ошибку {amount}, и корзина потом пустая.",
        ),
        "privacy": (
            "Сообщите, какие мои персональные данные вы храните, и удалите всё по заказу {order}.",
            "Прошу копию всех персональных данных, которые вы собрали обо мне с {date}.",
        ),
        "question": (
            "Появится ли {product} снова до {date}? Хочу подарить его сестре.",
            "Какой из ваших магазинов у вокзала открыт {date}, и есть ли там {product}?",
        ),
    },
    "zh-Hant": {
        "refund": (
            "我在 {date} 取消了訂單 {order}，可是 {amount} 歐元的退款到現在還沒有收到。",
            "三個星期前你們答應要退款給我買的 {product}，但是帳戶裡什麼都沒有。",
            "訂單 {order} 被重複扣款，請問 {amount} 歐元的退款什麼時候會到？",
        ),
        "invoice": (
            "麻煩把訂單 {order} 的發票寄給我，抬頭請寫我們公司的名稱和地址。",
            "{date} 的發票寫的是 {amount} 歐元，可是我們談好的 {product} 不是這個價錢。",
        ),
        "return": (
            "訂單 {order} 的 {product} 不適合我，我想要退貨，請問應該怎麼做？",
            "我在 {date} 打開了盒子，請問訂單 {order} 現在還可以退貨嗎？",
        ),
        "delivery": (
            "我的包裹裡有 {product}，應該在 {date} 送到，可是從那天以後就沒有任何消息。",
            "訂單 {order} 送貨的時候少了 {product}，請問其他的東西在哪裡？",
        ),
        "login": (
            "我忘記密碼了，你們在 {date} 寄來的連結也已經不能用了。",
            "從 {date} 開始我就沒有辦法登入我的帳號，可是我什麼都沒有改過。",
        ),
        "bug": (
            "我一打開訂單 {order}，應用程式就顯示錯誤然後關掉了，我用的是 {product}。",
            "每次付款的時候頁面都會出現錯誤 {amount}，之後購物車就空了。",
        ),
        "privacy": (
            "請告訴我你們保存了我哪些個人資料，並且刪除訂單 {order} 的部分。",
            "我想要一份你們從 {date} 以來收集的關於我的所有個人資料。",
        ),
        "question": (
            "請問 {product} 在 {date} 之前還會有貨嗎？我想買來送給我妹妹。",
            "車站附近的哪一家店在 {date} 有開，那裡有沒有賣 {product}？",
        ),
    },
    "es": {
        "refund": (
            "Cancelé el pedido {order} el {date} y todavía espero el reembolso de {amount} euros.",
            "Me prometieron el reembolso del {product} hace tres semanas, pero no ha llegado nada a mi cuenta.",
            "Me cobraron dos veces el pedido {order}; ¿cuándo llegará el reembolso de {amount} euros?",
        ),
        "invoice": (
            "¿Pueden enviarme la factura del pedido {order} con la dirección de nuestra empresa?",
            "La factura del {date} dice {amount} euros, pero por el {product} habíamos acordado otro precio.",
        ),
        "return": (
            "El {product} del pedido {order} no me queda bien y lo quiero devolver. ¿Qué tengo que hacer?",
            "Abrí la caja el {date}. ¿Puedo devolver todavía el pedido {order} o ya es tarde?",
        ),
        "delivery": (
            "Mi paquete con el {product} tenía que llegar el {date} y desde entonces no se mueve.",
            "La entrega del pedido {order} llegó sin el {product}. ¿Dónde está lo demás?",
        ),
        "login": (
            "Olvidé mi contraseña y el enlace de su correo del {date} ya no funciona.",
            "Desde el {date} mi contraseña no sirve, aunque no he cambiado nada en mi cuenta.",
        ),
        "bug": (
            "La aplicación se cierra con un fallo en cuanto abro el pedido {order}. Uso el {product}.",
            "Cada vez que pago la página muestra el fallo {amount} y después el carrito está vacío.",
        ),
        "privacy": (
            "Díganme qué datos personales míos guardan y borren los que son del pedido {order}.",
            "Pido una copia de todos los datos personales que han reunido sobre mí desde el {date}.",
        ),
        "question": (
            "¿Volverá a estar disponible el {product} antes del {date}? Quisiera regalarlo a mi hermana.",
            "¿Cuál de sus tiendas cerca de la estación abre el {date}, y tienen allí el {product}?",
        ),
    },
    "fr": {
        "refund": (
            "J'ai annulé la commande {order} le {date} et j'attends toujours le remboursement de {amount} euros.",
            "Vous m'aviez promis le remboursement du {product} il y a trois semaines, mais rien n'est arrivé.",
            "La commande {order} a été débitée deux fois ; quand viendra le remboursement de {amount} euros ?",
        ),
        "invoice": (
            "Pouvez-vous m'envoyer la facture de la commande {order} avec l'adresse de notre société ?",
            "La facture du {date} indique {amount} euros, mais nous avions convenu d'un autre prix pour le {product}.",
        ),
        "return": (
            "Le {product} de la commande {order} ne me convient pas, je voudrais le renvoyer. Que dois-je faire ?",
            "J'ai ouvert la boîte le {date}. Puis-je encore renvoyer la commande {order} ou est-ce trop tard ?",
        ),
        "delivery": (
            "Mon colis avec le {product} devait arriver le {date} et depuis le suivi ne bouge plus.",
            "La livraison de la commande {order} est venue sans le {product}. Où est passé le reste ?",
        ),
        "login": (
            "J'ai oublié mon mot de passe et le lien de votre courriel du {date} ne marche plus.",
            "Depuis le {date} mon mot de passe est refusé, alors que je n'ai rien changé chez moi.",
        ),
        "bug": (
            "L'application se ferme avec une erreur dès que j'ouvre la commande {order}. J'utilise le {product}.",
            "Chaque fois que je paie la page affiche l'erreur {amount} et le panier est vide ensuite.",
        ),
        "privacy": (
            "Dites-moi quelles données personnelles vous gardez sur moi et effacez celles de la commande {order}.",
            "Je demande une copie de toutes les données personnelles réunies sur moi depuis le {date}.",
        ),
        "question": (
            "Le {product} sera-t-il de nouveau disponible avant le {date} ? Je voudrais l'offrir à ma sœur.",
            "Lequel de vos magasins près de la gare est ouvert le {date}, et y trouve-t-on le {product} ?",
        ),
    },
}

FOLLOW_UPS: dict[str, tuple[str, ...]] = {
    "en": ("I forgot to say that it is order {order}.", "Is there any news? It is rather urgent for me."),
    "it": ("Ho dimenticato di dire che si tratta dell'ordine {order}.", "Ci sono novità? Per me è piuttosto urgente."),
    "de": ("Ich hatte vergessen zu sagen, dass es um {order} geht.", "Gibt es etwas Neues? Es eilt mir sehr."),
    "ru": ("Забыл добавить, что речь о заказе {order}.", "Есть ли новости? Для меня это довольно срочно."),
    "zh-Hant": ("我忘記說了，這是訂單 {order} 的事情。", "請問有新的消息嗎？我這邊比較急。"),
    "es": ("Olvidé decir que se trata del pedido {order}.", "¿Hay novedades? Para mí es bastante urgente."),
    "fr": ("J'ai oublié de dire qu'il s'agit de la commande {order}.", "Y a-t-il du nouveau ? C'est urgent pour moi."),
}

REPLIES: dict[str, tuple[str, ...]] = {
    "en": ("Thank you for writing. I have looked into it and it is settled now.", "That was our mistake; it is done."),
    "it": ("Grazie per averci scritto. Ho controllato e ora è tutto a posto.", "È stato un nostro sbaglio: è fatto."),
    "de": (
        "Danke für Ihre Nachricht. Ich habe nachgesehen: Es ist geregelt.",
        "Das lag an uns; es ist erledigt.",
    ),
    "ru": ("Спасибо, что написали. Я всё проверил, вопрос решён.", "Это была наша вина, всё сделано."),
    "zh-Hant": ("謝謝您的來信，我已經查過，現在都處理好了。", "這是我們的疏忽，已經完成了。"),
    "es": ("Gracias por escribirnos. Lo he revisado y ya está resuelto.", "Fue un error nuestro; ya está hecho."),
    "fr": ("Merci de votre message. J'ai vérifié et tout est réglé.", "C'était notre faute ; c'est fait."),
}

PRODUCTS = ("Lumo 3", "Nordwind 40", "Kestrel S", "Piccolo Duo", "Atlas Mini", "Vento 7", "Solaris X", "Bravo Pro")
SUBJECTS: dict[str, str] = {
    "en": "Order {order}",
    "it": "Ordine {order}",
    "de": "Bestellung {order}",
    "ru": "Заказ {order}",
    "zh-Hant": "訂單 {order}",
    "es": "Pedido {order}",
    "fr": "Commande {order}",
}


def write(chance: random.Random, language: str, category: str, name: str) -> SampleMessage:
    """A message about something, in a language, from a customer of that name."""
    slots = _slots(chance, name)
    body = chance.choice(TEXTS[language][category])
    parts = (chance.choice(GREETINGS[language]), body, chance.choice(CLOSINGS[language]))
    return SampleMessage(SUBJECTS[language].format(**slots), "\n".join(parts).format(**slots), language, category)


def follow_up(chance: random.Random, language: str, name: str) -> str:
    """A later message in the same conversation."""
    return chance.choice(FOLLOW_UPS[language]).format(**_slots(chance, name))


def reply(chance: random.Random, language: str) -> str:
    """What an agent answers, in the customer's language."""
    return chance.choice(REPLIES.get(language, REPLIES["en"]))


def _slots(chance: random.Random, name: str) -> dict[str, str]:
    return {
        "order": f"{chance.choice('ABCDEFGHKLMN')}{chance.randint(10_000, 99_999)}",
        "product": chance.choice(PRODUCTS),
        "amount": f"{chance.randint(5, 900)}",
        "date": f"{chance.randint(1, 28)}.{chance.randint(1, 12)}.",
        "name": name,
    }
