"""What people say into an answer, meant for it or for others, in some situations.

What the words are held against (prompts.OVERHEARD) and the threshold were chosen on the first group alone; the second
lay beside when they were, and the last was written when all was fixed.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Situation:
    """An answer in mid-sentence, and what its listener may say into it."""

    name: str
    question: str
    thoughts: str
    spoken: str
    sayings: tuple[str, ...]


SITUATIONS = (
    Situation(
        "train",
        "A train travels sixty kilometers in forty-five minutes. How fast is it going?",
        "\nTo find the speed, divide the distance by the time. The distance is 60 kilometers. The time is 45 minutes, "
        "which is 45 / 60 = 0.75 hours. So the speed is 60 / 0.75",
        "I am dividing the distance by the time. Forty-five minutes are three quarters",
        (
            "Sorry, I meant ninety kilometers.",
            "No, it was fifty minutes.",
            "In miles per hour, please.",
            "It stops twice on the way.",
            "How far does it get in two hours?",
            "The distance is wrong.",
            "It takes an hour, actually.",
            "Can you say that more slowly?",
            "And what about a car?",
            "Use meters per second instead.",
            "It's a freight train.",
            "The train leaves at noon.",
            "The other train.",
            "My daddy's train, the fast one.",
        ),
    ),
    Situation(
        "tides",
        "Please explain, in a few sentences, why the sea has tides.",
        "\nThe tides are caused by the gravity of the moon and the sun. First, the moon pulls the water on the near "
        "side more strongly than the earth as a whole. Second, on the far side",
        "I am thinking about how the moon pulls the water. The sea rises where",
        (
            "Why are there two a day?",
            "I mean the Mediterranean.",
            "Keep it simple, it's for a child.",
            "What does the sun do?",
            "Leave out the sun.",
            "No, I asked about waves.",
            "Is it the same in lakes?",
            "I already know about the moon.",
            "That doesn't make sense.",
            "Use an example from France.",
            "And the weather?",
        ),
    ),
)
FOR_OTHERS = (
    "Darling, could you turn the oven off?",
    "Lunch is ready, everyone!",
    "Dad, look what I found!",
    "The chancellor met union leaders in Berlin this morning.",
    "I have to go, talk to you later.",
    "Stay tuned, we'll be right back after this.",
    "Who left the window open?",
    "Give it back, that's mine!",
    "Hello, Peter, come in, come in.",
    "The match ended in a draw.",
    "Good boy, sit!",
    "Somebody's at the door.",
    "I'll call you back tonight.",
    "Are you coming to bed?",
    "My mother is visiting on Sunday.",
    "Kids, put your shoes on.",
    "And the winner is the lady from Ohio.",
    "What do you want for dinner, honey?",
    "Ladies and gentlemen, please welcome our next guest.",
    "I told him to bring wine.",
)

HELD_OUT_SITUATIONS = (
    Situation(
        "pancakes",
        "How much flour do I need for pancakes for six people?",
        "\nA common recipe uses 200 grams of flour for three people. For six people, double it: 200 * 2",
        "I am scaling a common recipe. For three people it takes two hundred grams",
        (
            "Make that eight people.",
            "Half of them are children.",
            "What about the milk?",
            "We only have oat flour.",
            "In cups, please.",
            "No eggs, she's allergic.",
            "Can I use yeast?",
            "They should be thick.",
            "And how long do they fry?",
            "Savory ones, with cheese.",
        ),
    ),
    Situation(
        "heating",
        "Help me write a short message to my landlord about the broken heating.",
        "\nThe message should be polite and short. It should say what is broken, since when, and ask for a repair. "
        "First sentence: Dear Mr. Smith, the heating in",
        "I am thinking about what it should say. It begins with what is broken and",
        (
            "It's been cold since Monday.",
            "Her name is Mrs. Keller.",
            "Make it more formal.",
            "Add my phone number.",
            "Can you put it in German?",
            "And mention the rent.",
            "Just the bathroom radiator.",
            "A bit shorter, please.",
            "He never answers his phone.",
            "Should I threaten to sue?",
        ),
    ),
    Situation(
        "battery",
        "Why does my phone battery drain so fast?",
        "\nCommon causes are the screen brightness, apps in the background, a weak signal, and an old battery. First, "
        "the screen: it uses the most energy. Second, apps",
        "I am going through the usual causes. The screen takes the most power, and",
        (
            "It's an old one, from my brother.",
            "Is the charger to blame?",
            "I already turned that down.",
            "What about the apps?",
            "It gets hot, too.",
            "Mostly at night.",
            "Would a new one help?",
            "It started after the update.",
            "Talk about the camera instead.",
            "How do I check that?",
        ),
    ),
)
HELD_OUT_FOR_OTHERS = (
    "Tonight's top story, wildfires are spreading across the south.",
    "And he shoots, what a save by the goalkeeper!",
    "Previously on the show.",
    "Call within the next ten minutes and get another one free.",
    "The forecast for tomorrow is sunny with a light breeze.",
    "Yes, I'd like to book a table for Friday evening.",
    "Can you hear me? The line is bad.",
    "I'm on my way, the bus was late.",
    "Tell her I said hello.",
    "Sure, send it to my work address.",
    "Did you feed the cat?",
    "Turn that music down, please!",
    "Where did you put the scissors?",
    "Your sister is at the station already.",
    "Sweetheart, it's time for your bath.",
    "The meeting has moved to the big conference room.",
    "Could someone refill the printer?",
    "Has anybody seen the client's contract?",
    "I'll be at lunch if you need me.",
    "Let's ask Martin, he wrote that report.",
)

LAST_SITUATIONS = (
    Situation(
        "saving",
        "If I save fifty euros a month, how much do I have after two years?",
        "\nTwo years are 24 months. Each month 50 euros are saved. So the total is 50 * 24",
        "I am counting the months. Two years are twenty-four months, and each of them",
        (
            "With interest, please.",
            "I have some already.",
            "What if I lose my job?",
            "Dollars, I mean.",
            "Starting in June.",
            "Every second month only.",
            "My wife puts in the same.",
            "Can I buy a car with that?",
            "Does the bank take a fee?",
            "It's for my daughter's birthday.",
            "How about three years?",
            "And if it were weekly?",
            "Just give me the total.",
            "I always forget to do it in summer.",
            "Round it up.",
        ),
    ),
    Situation(
        "paris",
        "What should I see in Paris on a rainy day?",
        "\nOn a rainy day indoor places are best. First, the Louvre, which is large and needs half a day. Second, the "
        "Musee d'Orsay, with the impressionists. Third,",
        "I am thinking of places under a roof. The Louvre alone takes half a day, and",
        (
            "We've been there before.",
            "The kids get bored easily.",
            "Something cheap, please.",
            "Is it open late?",
            "How do I get there?",
            "My grandmother is in a wheelchair.",
            "And where can we eat?",
            "I don't like paintings.",
            "Close to the opera, if possible.",
            "What about the catacombs?",
            "It may clear up later.",
            "We arrive by train at noon.",
            "Do I need tickets?",
            "She prefers shopping.",
            "Make it a list for two days.",
        ),
    ),
)
LAST_FOR_OTHERS = (
    "The suspect was arrested early this morning.",
    "Next on our program, the wonders of the deep sea.",
    "Nothing cleans like the new lemon formula.",
    "What a goal, the crowd goes wild!",
    "You will never get away with this, Batman.",
    "Could I speak to the manager, please?",
    "The number you have called is not available.",
    "I'll pick you up from work.",
    "Did the plumber come today?",
    "He says he is feeling better.",
    "Pass me the salt, would you?",
    "Have you done your homework?",
    "Take your shoes off in the hall.",
    "Whose turn is it to do the dishes?",
    "The dog wants to go out.",
    "I think the printer is out of paper.",
    "Are you joining us for coffee?",
    "She sent the slides to everybody.",
    "Where's the remote control?",
    "Happy birthday, little brother!",
)
GROUPS = (
    ("chosen on", SITUATIONS, FOR_OTHERS),
    ("held out", HELD_OUT_SITUATIONS, HELD_OUT_FOR_OTHERS),
    ("written last", LAST_SITUATIONS, LAST_FOR_OTHERS),
)
