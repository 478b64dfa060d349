//! WiFi of the ESP32-C3.

use embassy_time::Timer;
use esp_hal::peripherals::WIFI;
use esp_println::println;
use esp_radio::wifi::sta::StationConfig;
use esp_radio::wifi::{
    AuthenticationMethodConfig, Config, ControllerConfig, Interface, WifiController, WifiError,
};

/// What is missing in this build, if anything.
pub(crate) fn missing() -> Option<&'static str> {
    // The compiler must not know: a build without a name is to contain all of the program.
    core::hint::black_box(NAME)
        .is_empty()
        .then_some("the network's name (WIFI_NAME)")
}

/// Switches the radio on, and gives the driver of the network stack. Needs the heap and the scheduler.
///
/// # Errors
/// The radio does not start, or no network can have this name or this password.
pub(crate) fn start(
    wifi: WIFI<'static>,
) -> Result<(Interface, WifiController<'static>), WifiError> {
    let authentication = match PASSWORD {
        "" => AuthenticationMethodConfig::Open,
        password => AuthenticationMethodConfig::Wpa2Personal(password.try_into()?),
    };
    let station = StationConfig::default()
        .with_ssid(NAME.try_into()?)
        .with_authentication(authentication);
    let config = ControllerConfig::default().with_initial_config(Config::Station(station));
    let controller = WifiController::new(wifi, config)?;
    Ok((Interface::station(), controller))
}

/// Joins the network, and joins again whenever it is lost.
pub(crate) async fn stay_joined(mut controller: WifiController<'static>) -> ! {
    loop {
        match controller.connect_async().await {
            // An error means that it is lost already.
            Ok(_) => drop(controller.wait_for_disconnect_async().await),
            Err(error) => println!("cannot join {NAME}: {error:?}"),
        }
        Timer::after_millis(PAUSE).await;
    }
}

/// The network's name, and its password; none if it is open.
const NAME: &str = match option_env!("WIFI_NAME") {
    Some(name) => name,
    None => "",
};
const PASSWORD: &str = match option_env!("WIFI_PASSWORD") {
    Some(password) => password,
    None => "",
};

/// Milliseconds between two attempts to join.
const PAUSE: u64 = 1000;
